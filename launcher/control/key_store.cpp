#include "launcher/control/key_store.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace tradewind::launcher {
namespace {

using Work = proto::StoreRequest::Work;

Orders error(int agent, std::int64_t id, std::string what) {
  return {{agent, proto::Answer{{.id = id, .error = std::move(what)}}}};
}

}  // namespace

Orders KeyStore::answer(int agent, std::int64_t id, std::int64_t number, std::vector<std::string> values) {
  return {{agent, proto::Answer{{.id = id, .number = number, .values = std::move(values)}}}};
}

void KeyStore::put(Slot& slot, std::string value) {
  if (!slot.value) ++count_;
  slot.value = std::move(value);
}

Orders KeyStore::asked(int agent, const proto::StoreRequest& request) {
  const auto there = [this](const std::string& key) {
    const auto found = slots_.find(key);
    return found != slots_.end() && found->second.value.has_value();
  };
  switch (request.work) {
    case Work::set:
      put(slots_[request.keys.front()], request.value);
      return changed(request.keys.front(), answer(agent, request.id, 1));
    case Work::add:
      return add(agent, request);
    case Work::compare_set:
      return compare_set(agent, request);
    case Work::check:
      return answer(agent, request.id, std::all_of(request.keys.begin(), request.keys.end(), there) ? 1 : 0);
    case Work::remove:
      if (!there(request.keys.front())) return answer(agent, request.id, 0);
      slots_[request.keys.front()].value.reset();
      --count_;
      return changed(request.keys.front(), answer(agent, request.id, 1));
    case Work::count:
      return answer(agent, request.id, count_);
    case Work::get:
    case Work::wait:
      break;
  }
  return error(agent, request.id, "agents want values, and do not ask for them");
}

// As TCPStore does: what is not there counts as 0.
Orders KeyStore::add(int agent, const proto::StoreRequest& request) {
  Slot& slot = slots_[request.keys.front()];
  std::int64_t number = 0;
  if (slot.value) {
    const char* end = slot.value->data() + slot.value->size();
    const auto [read_to, failed] = std::from_chars(slot.value->data(), end, number);
    if (failed != std::errc{} || read_to != end)
      return error(agent, request.id, "the value of `" + request.keys.front() + "` is no number to add to");
  }
  if (__builtin_add_overflow(number, request.amount, &number))
    return error(agent, request.id, "the sum at `" + request.keys.front() + "` is too large");
  put(slot, std::to_string(number));
  return changed(request.keys.front(), answer(agent, request.id, number));
}

// As TCPStore does: to expect nothing is to expect no key; else a key that is not there leaves what was expected.
Orders KeyStore::compare_set(int agent, const proto::StoreRequest& request) {
  Slot& slot = slots_[request.keys.front()];
  const bool as_expected = slot.value ? *slot.value == request.expected : request.expected.empty();
  if (!as_expected) return answer(agent, request.id, 0, {slot.value.value_or(request.expected)});
  put(slot, request.value);
  return changed(request.keys.front(), answer(agent, request.id, 1, {request.value}));
}

Orders KeyStore::changed(const std::string& key, Orders answers) {
  Slot& slot = slots_[key];
  Orders orders;
  for (const int agent : std::exchange(slot.holding, {})) {
    slot.forgetting.insert(agent);
    orders.push_back({agent, proto::Forget{key}});
  }
  if (slot.forgetting.empty())
    append(orders, std::move(answers));
  else
    append(slot.held_back, std::move(answers));
  if (!slot.value) return orders;
  for (const int agent : std::exchange(slot.waiting, {})) {
    readers_[agent].ready.push_back(key);
    append(orders, batch(agent));
  }
  return orders;
}

Orders KeyStore::wanted(int agent, const std::vector<std::string>& keys) {
  Reader& reader = readers_[agent];
  for (const std::string& key : keys) {
    Slot& slot = slots_[key];
    if (slot.value)
      reader.ready.push_back(key);
    else
      slot.waiting.insert(agent);
  }
  return batch(agent);
}

Orders KeyStore::batch(int agent) {
  Reader& reader = readers_[agent];
  if (reader.busy) return {};
  proto::Values values;
  for (std::size_t bytes = 0; !reader.ready.empty();) {
    const std::string& key = reader.ready.front();
    Slot& slot = slots_[key];
    if (slot.value) {
      bytes += key.size() + slot.value->size();
      if (!values.values.empty() && (bytes > proto::store_batch || values.values.size() == proto::most_store_keys))
        break;
      values.values.push_back({key, *slot.value});
      slot.holding.insert(agent);
    } else {
      slot.waiting.insert(agent);  // it was removed meanwhile
    }
    reader.ready.pop_front();
  }
  if (values.values.empty()) return {};
  reader.busy = true;
  return {{agent, std::move(values)}};
}

Orders KeyStore::got(int agent) {
  readers_[agent].busy = false;
  return batch(agent);
}

Orders KeyStore::released(Slot& slot, int agent) {
  if (slot.forgetting.erase(agent) == 0 || !slot.forgetting.empty()) return {};
  return std::exchange(slot.held_back, {});
}

Orders KeyStore::forgot(int agent, const std::string& key) {
  const auto found = slots_.find(key);
  return found == slots_.end() ? Orders() : released(found->second, agent);
}

Orders KeyStore::left(int agent) {
  Orders orders;
  readers_.erase(agent);
  for (auto& [key, slot] : slots_) {
    slot.waiting.erase(agent);
    slot.holding.erase(agent);
    append(orders, released(slot, agent));
  }
  std::erase_if(orders, [agent](const Order& order) { return order.agent == agent; });
  return orders;
}

}  // namespace tradewind::launcher
