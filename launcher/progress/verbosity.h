// How much the user wants to see. A plain value.
#pragma once

namespace tradewind::launcher {

enum class Verbosity { quiet, normal, verbose };

}  // namespace tradewind::launcher
