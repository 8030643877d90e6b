#include "common/checkpoint/pickle_arena.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <map>

#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

// What one opcode may make us hold at most, and what any pickle may, however short.
constexpr std::uint64_t bytes_per_pickle_byte = 256, base_bytes = std::uint64_t{16} << 20;
constexpr std::size_t long_tuple = 8;  // compared by identity from here on

template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

int order_identity(Ref a, Ref b) { return std::less<>()(a, b) ? -1 : a == b ? 0 : 1; }

// Long ones by identity: comparing a shared one again and again would take forever.
int order_texts(const std::string& a, const std::string& b, Ref first, Ref second) {
  const bool long_a = a.size() > PickleArena::max_name, long_b = b.size() > PickleArena::max_name;
  if (long_a != long_b) return long_a ? 1 : -1;
  return long_a ? order_identity(first, second) : a.compare(b);
}

int compare_plain(Ref a, Ref b) {
  if (a == b) return 0;
  if (a->data.index() != b->data.index()) return order(a->data.index(), b->data.index());
  if (const auto* text = get<std::string>(a)) return order_texts(*text, *get<std::string>(b), a, b);
  if (const auto* integer = get<std::int64_t>(a)) return order(*integer, *get<std::int64_t>(b));
  if (const auto* truth = get<bool>(a)) return order(*truth, *get<bool>(b));
  // By bits, since NaN has no order.
  if (const auto* real = get<double>(a))
    return order(std::bit_cast<std::uint64_t>(*real), std::bit_cast<std::uint64_t>(*get<double>(b)));
  if (const auto* bytes = get<Bytes>(a)) return order_texts(bytes->data, get<Bytes>(b)->data, a, b);
  if (const auto* global = get<Global>(a)) return global->name.compare(get<Global>(b)->name);
  if (get<None>(a)) return 0;
  return order_identity(a, b);
}

}  // namespace

PickleArena::PickleArena(std::size_t pickle_size, std::string where)
    : left_(std::min(max_bytes, base_bytes + bytes_per_pickle_byte * std::min<std::uint64_t>(pickle_size, max_bytes))),
      where_(std::move(where)) {
  true_.data = true;
  false_.data = false;
}

void PickleArena::fail(const std::string& what) const {
  throw UserError(what, where_ + ", byte " + std::to_string(position_),
                  "the checkpoint is damaged or not an inference checkpoint; fetch it again");
}

void PickleArena::exhausted() const { fail("the pickle asks for far more memory than its size explains"); }
void PickleArena::too_many() const { fail("the pickle has more than " + std::to_string(max_values) + " values"); }
void PickleArena::too_deep() const { fail("the pickle nests deeper than " + std::to_string(max_depth)); }

int compare_keys(Ref a, Ref b) {
  const auto *left = get<Tuple>(a), *right = get<Tuple>(b);
  if (a == b || !left || !right) return compare_plain(a, b);
  const std::size_t size = std::min(left->items.size(), long_tuple);
  if (const int difference = order(size, std::min(right->items.size(), long_tuple))) return difference;
  if (size == long_tuple) return order_identity(a, b);
  for (std::size_t i = 0; i < left->items.size(); ++i)
    if (const int difference = compare_plain(left->items[i], right->items[i])) return difference;
  return 0;
}

void keep_last_values(std::vector<std::pair<Ref, Ref>>& items) {
  const auto before = [](Ref a, Ref b) { return compare_keys(a, b) < 0; };
  std::map<Ref, std::size_t, decltype(before)> positions(before);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto [position, added] = positions.emplace(items[i].first, kept);
    if (added)
      items[kept++] = items[i];
    else
      items[position->second].second = items[i].second;
  }
  items.resize(kept);
}

}  // namespace tradewind::checkpoint
