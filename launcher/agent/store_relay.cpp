#include "launcher/agent/store_relay.h"

namespace tradewind::launcher {

using Work = proto::StoreRequest::Work;

StoreRelay::Told StoreRelay::asked(int rank, const proto::StoreRequest& request) {
  Told told;
  if (request.work != Work::get && request.work != Work::wait) {
    proto::StoreRequest ours = request;
    ours.id = next_++;
    asked_[ours.id] = {rank, request.id};
    told.controller.emplace_back(proto::Ask{std::move(ours)});
    return told;
  }
  Reading reading{.rank = rank, .request = request};
  if (complete(reading)) {
    answer(reading, told);
  } else {
    want(reading, told);
    readings_.push_back(std::move(reading));
  }
  return told;
}

bool StoreRelay::complete(Reading& reading) const {
  const auto& keys = reading.request.keys;
  while (reading.seen < keys.size() && values_.contains(keys[reading.seen])) ++reading.seen;
  return reading.seen == keys.size();
}

void StoreRelay::want(const Reading& reading, Told& told) {
  proto::Want want;
  for (const std::string& key : reading.request.keys)
    if (!values_.contains(key) && wanted_.insert(key).second) want.keys.push_back(key);
  if (!want.keys.empty()) told.controller.emplace_back(std::move(want));
}

void StoreRelay::answer(const Reading& reading, Told& told) const {
  proto::StoreAnswer answer{.id = reading.request.id, .number = 1};
  if (reading.request.work == Work::get) {
    std::size_t bytes = 0;
    for (const std::string& key : reading.request.keys) {
      const std::string& value = values_.at(key);
      bytes += value.size();
      if (!answer.values.empty() && bytes > proto::store_batch) {
        proto::StoreAnswer part = answer;
        part.more = true;
        told.ranks.emplace_back(reading.rank, std::move(part));
        answer.values.clear();
        bytes = value.size();
      }
      answer.values.push_back(value);
    }
  }
  told.ranks.emplace_back(reading.rank, std::move(answer));
}

void StoreRelay::answer_complete(Told& told) {
  for (auto reading = readings_.begin(); reading != readings_.end();) {
    if (!complete(*reading)) {
      ++reading;
      continue;
    }
    answer(*reading, told);
    reading = readings_.erase(reading);
  }
}

StoreRelay::Told StoreRelay::heard(const proto::Answer& message) {
  Told told;
  const auto found = asked_.find(message.answer.id);
  if (found == asked_.end()) return told;
  proto::StoreAnswer answer = message.answer;
  answer.id = found->second.second;
  told.ranks.emplace_back(found->second.first, std::move(answer));
  asked_.erase(found);
  return told;
}

StoreRelay::Told StoreRelay::heard(const proto::Values& message) {
  Told told;
  for (const proto::StoreValue& one : message.values) {
    values_[one.key] = one.value;
    wanted_.erase(one.key);
  }
  told.controller.emplace_back(proto::Got{});
  answer_complete(told);
  return told;
}

StoreRelay::Told StoreRelay::heard(const proto::Forget& message) {
  Told told;
  values_.erase(message.key);
  told.controller.emplace_back(proto::Forgot{message.key});
  for (Reading& reading : readings_) {
    reading.seen = 0;
    want(reading, told);
  }
  return told;
}

}  // namespace tradewind::launcher
