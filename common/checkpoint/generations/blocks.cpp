#include "common/checkpoint/generations/blocks.h"

#include <string>

#include "common/checkpoint/generations/attributes.h"
#include "common/checkpoint/generations/known.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

void require_count(const Node& node, std::size_t count, const char* what) {
  if (node.as_int() != static_cast<std::int64_t>(count)) {
    throw UserError(std::to_string(count) + " " + what + " where " + std::to_string(node.as_int()) + " are announced",
                    node.path());
  }
}

}  // namespace

std::vector<Node> processor_blocks(const Node& processor, std::string_view chunk_class) {
  const auto entries = modules_in_order(processor.at("proc"));
  std::vector<Node> blocks;
  bool chunked = false;
  for (const Node& entry : entries) {
    if (entry.class_name() != chunk_class) {
      blocks.push_back(entry);
      continue;
    }
    chunked = true;
    refuse_unknown_attributes(entry);
    const auto below = modules_in_order(entry.at("blocks"));
    require_count(entry.at("num_layers"), below.size(), "blocks");
    blocks.insert(blocks.end(), below.begin(), below.end());
  }
  if (chunked) {
    require_count(processor.at("num_chunks"), entries.size(), "chunks");
  } else {
    require_count(processor.at("num_layers"), entries.size(), "blocks");
  }
  if (blocks.empty()) throw UserError("a processor without blocks", processor.path());
  return blocks;
}

}  // namespace tradewind::checkpoint
