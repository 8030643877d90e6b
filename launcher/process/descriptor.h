// Owns a file descriptor.
#pragma once

#include "common/files/descriptor.h"

namespace tradewind::launcher {

using tradewind::Descriptor;

}  // namespace tradewind::launcher
