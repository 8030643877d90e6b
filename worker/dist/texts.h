// Short texts between ranks: names, sizes and the like, as opposed to rows. Collective; errors as Communicator's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "worker/dist/communicator.h"

namespace tradewind::dist {

// Every rank's text, by rank.
std::vector<std::string> gather_texts(Communicator& communicator, const std::string& own, std::string_view place);
// Rank 0's text.
std::string text_of_first(Communicator& communicator, const std::string& own, std::string_view place);

}  // namespace tradewind::dist
