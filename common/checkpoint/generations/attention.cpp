#include "common/checkpoint/generations/attention.h"

#include <array>
#include <string>

#include "common/checkpoint/generations/attributes.h"
#include "common/checkpoint/generations/known.h"
#include "common/checkpoint/generations/layers.h"
#include "common/checkpoint/generations/paths.h"
#include "common/checkpoint/listing.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

// What an attention function of the pickle does with the options of its module. `refused`: the reference raises.
enum class Honours { yes, ignored, refused };
enum class MinusOne { everything, refused };  // a window of -1
struct AttentionRow {
  std::string_view class_name;  // of the module, or the function's own name in 0.2-0.3; a prefix
  std::string_view proof;       // attribute that tells generations of the class apart
  Honours window, softcap_and_alibi;
  bool rotary;
  MinusOne minus_one;
};
constexpr std::array<AttentionRow, 5> kAttention = {{
    {"anemoi.models.layers.attention.FlashAttentionWrapper", "", Honours::yes, Honours::yes, true,
     MinusOne::everything},
    // 0.13 and later; its mask is rebuilt from the window
    {"anemoi.models.layers.attention.SDPAAttentionWrapper", "attn_mask", Honours::yes, Honours::refused, false,
     MinusOne::everything},
    // 0.4 to 0.12 forget to raise
    {"anemoi.models.layers.attention.SDPAAttentionWrapper", "mask", Honours::yes, Honours::ignored, false,
     MinusOne::refused},
    // 0.2 and 0.3 keep the bare function; with torch's there is no window
    {"flash_attn.", "", Honours::yes, Honours::refused, false, MinusOne::everything},
    {"torch._C._nn.scaled_dot_product_attention", "", Honours::ignored, Honours::refused, false, MinusOne::refused},
}};

const AttentionRow& attention_row(const Node& function) {
  const std::string name = function.class_name();
  std::string known;
  for (const AttentionRow& row : kAttention) {
    if (name.starts_with(row.class_name) && (row.proof.empty() || function.has(row.proof))) return row;
    add_to_list(known, row.class_name);
  }
  refuse_class(function, "attention", known);
}

std::optional<std::int64_t> one_side(const Node& node, const AttentionRow& row) {
  if (node.is_none()) return std::nullopt;
  const std::int64_t window = node.as_int();
  if (window == -1 && row.minus_one == MinusOne::everything) return std::nullopt;
  if (window < 0) {
    throw UserError("window_size " + std::to_string(window) + " is not supported", node.path(),
                    "it must be None or at least 0");
  }
  return window;
}

// A number for both sides, or a pair of equal ones.
std::optional<std::int64_t> read_window(const Node& node, const AttentionRow& row) {
  if (!std::holds_alternative<Tuple>(node.value().data) && !std::holds_alternative<List>(node.value().data)) {
    return one_side(node, row);
  }
  const auto sides = node.items();
  if (sides.size() != 2) throw UserError("window_size is neither a number nor a pair", node.path());
  const auto left = one_side(sides[0], row), right = one_side(sides[1], row);
  if (left != right) throw UserError("a window of different sizes on its two sides is not supported", node.path());
  return left;
}

// The flag of the function's wrapper decides; the module's own flag does not reach a function that lacks it.
bool read_rotary(const Node& function, std::int64_t head_size) {
  const auto flag = find_attribute(function, "use_rotary_embeddings");
  if (!flag || !flag->as_bool()) return false;
  const Node rotary = function.at("rotary_emb");
  require_class(rotary, "rotary embedding", {"flash_attn.layers.rotary.RotaryEmbedding"});
  if (rotary.at("base").as_double() != 10000 || rotary.at("interleaved").as_bool() ||
      !rotary.at("scale_base").is_none() || rotary.at("dim").as_int() != head_size) {
    throw UserError("rotary embeddings with other options than base 10000, not interleaved, over the whole head",
                    rotary.path());
  }
  return true;
}

void read_options(const Node& attention, const std::optional<AttendedRows>& cross, AttentionDescription& out) {
  const Node function = attention.at("attention");
  const AttentionRow& row = attention_row(function);
  if (!std::holds_alternative<Global>(function.value().data)) {
    refuse_unknown_attributes(function);
    const std::string inner = function.at("attention").class_name();
    const bool flash = row.rotary;
    if (flash ? !inner.starts_with("flash_attn") : inner != "torch._C._nn.scaled_dot_product_attention") {
      refuse_class(function.at("attention"), "attention function",
                   flash ? "functions of flash_attn" : "torch._C._nn.scaled_dot_product_attention");
    }
  }
  if (const Node causal = attention.at("is_causal"); causal.as_bool()) {
    throw UserError("causal attention is not supported", causal.path());
  }
  const Node window = attention.at("window_size");
  const auto size = read_window(window, row);
  if (row.window == Honours::yes) out.window = size;
  if (cross && row.rotary) out.aligned_to_end = true;
  // of two different sets of rows, the mask that the reference makes for -1 reaches as far as there are keys
  if (cross && !row.rotary && row.window == Honours::yes && !window.is_none() && !size) out.window = cross->keys;

  double softcap = 0;
  std::optional<TensorDescriptor> slopes;
  // Who honours it always stores it.
  const auto stored_softcap =
      row.softcap_and_alibi == Honours::yes ? std::optional(attention.at("softcap")) : attention.find("softcap");
  if (stored_softcap && !stored_softcap->is_none()) softcap = stored_softcap->as_double();
  const auto use_slopes = attention.find("use_alibi_slopes");
  const auto stored = attention.find("alibi_slopes");
  if (stored && !stored->is_none()) slopes = floating_tensor(*stored, {out.heads});
  if ((use_slopes && use_slopes->as_bool()) != slopes.has_value()) {
    throw UserError("use_alibi_slopes and alibi_slopes contradict each other", attention.path());
  }
  const bool any = softcap > 0 || slopes.has_value();
  if (any && row.softcap_and_alibi == Honours::refused) {
    throw UserError("softcap and ALiBi slopes are not possible with " + function.class_name(), attention.path(),
                    "the reference refuses this checkpoint too; export it with flash attention");
  }
  if (any && row.softcap_and_alibi == Honours::yes) {
    out.softcap = softcap > 0 ? softcap : 0;
    out.alibi_slopes = slopes;
  }
  out.rotary = read_rotary(function, out.head_size);
}

void read_projections(const Node& attention, std::int64_t channels, AttentionDescription& out) {
  const std::int64_t width = out.heads * out.head_size;
  if (const auto fused = find_by_paths(attention, paths::fused_qkv)) {
    const LinearDescription all = read_linear(*fused, 3 * width, channels);
    LinearDescription* const parts[] = {&out.query, &out.key, &out.value};
    for (std::int64_t i = 0; i < 3; ++i) {
      parts[i]->weight = rows_of(all.weight, i * width, width);
      if (all.bias) parts[i]->bias = rows_of(*all.bias, i * width, width);
    }
  } else {
    out.query = read_linear(attention.at("lin_q"), width, channels);
    out.key = read_linear(attention.at("lin_k"), width, channels);
    out.value = read_linear(attention.at("lin_v"), width, channels);
  }
  out.projection = read_linear(attention.at("projection"), channels, width);
}

}  // namespace

AttentionDescription read_attention(const Node& attention, std::int64_t channels,
                                    const std::optional<AttendedRows>& cross) {
  if (cross) {
    require_class(attention, "attention", {"anemoi.models.layers.attention.MultiHeadCrossAttention"});
  } else {
    require_class(attention, "attention", {"anemoi.models.layers.attention.MultiHeadSelfAttention"});
  }
  refuse_unknown_attributes(attention);
  AttentionDescription out;
  out.heads = positive(attention.at("num_heads"));
  out.head_size = positive(attention.at("head_dim"));
  read_projections(attention, channels, out);
  const auto norms = attention.find("qk_norm");
  if (norms && norms->as_bool()) {
    out.query_norm = read_layer_norm(attention.at("q_norm"), out.head_size);
    out.key_norm = read_layer_norm(attention.at("k_norm"), out.head_size);
  } else if (attention.has("q_norm") || attention.has("k_norm")) {
    throw UserError("norms of query and key are there, but qk_norm is not on", attention.path());
  }
  read_options(attention, cross, out);
  return out;
}

}  // namespace tradewind::checkpoint
