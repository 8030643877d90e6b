#include "worker/dist/launcher_store.h"

#include <c10/util/Exception.h>

#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <utility>
#include <vector>

namespace tradewind::dist {
namespace {

using Work = proto::StoreRequest::Work;
using Bytes = std::vector<std::uint8_t>;
using Keys = std::vector<std::string>;

std::string text_of(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }
Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

// The pure virtual functions of LibTorch 2.11 to 2.15; what else there is stands on them.
class LauncherStore : public c10d::Store {
 public:
  explicit LauncherStore(AskStore ask) : ask_(std::move(ask)) {}

  c10::intrusive_ptr<c10d::Store> clone() override {
    auto twin = c10::make_intrusive<LauncherStore>(ask_);
    twin->setTimeout(timeout_);
    return twin;
  }

  using Store::set;
  void set(const std::string& key, const Bytes& value) override {
    ask({.work = Work::set, .keys = {key}, .value = text_of(value)}, timeout_);
  }
  using Store::compareSet;
  Bytes compareSet(const std::string& key, const Bytes& expected, const Bytes& desired) override {
    return only(
        ask({.work = Work::compare_set, .keys = {key}, .value = text_of(desired), .expected = text_of(expected)},
            timeout_));
  }
  Bytes get(const std::string& key) override { return only(ask({.work = Work::get, .keys = {key}}, timeout_)); }
  std::int64_t add(const std::string& key, std::int64_t amount) override {
    return ask({.work = Work::add, .keys = {key}, .amount = amount}, timeout_).number;
  }
  bool deleteKey(const std::string& key) override {
    return ask({.work = Work::remove, .keys = {key}}, timeout_).number != 0;
  }
  bool check(const Keys& keys) override { return ask({.work = Work::check, .keys = keys}, timeout_).number != 0; }
  std::int64_t getNumKeys() override { return ask({.work = Work::count}, timeout_).number; }
  void wait(const Keys& keys) override { wait(keys, timeout_); }
  void wait(const Keys& keys, const std::chrono::milliseconds& time) override {
    ask({.work = Work::wait, .keys = keys}, time);
  }
  std::vector<Bytes> multiGet(const Keys& keys) override {
    std::vector<Bytes> values;
    const proto::StoreAnswer answer = ask({.work = Work::get, .keys = keys}, timeout_);
    if (answer.values.size() != keys.size())
      C10_THROW_ERROR(DistStoreError, "the launcher's store answered something else");
    values.reserve(keys.size());
    for (const std::string& value : answer.values) values.push_back(bytes_of(value));
    return values;
  }

 private:
  proto::StoreAnswer ask(proto::StoreRequest request, std::chrono::milliseconds time) const {
    std::string keys;
    for (const std::string& key : request.keys) {
      keys += (keys.empty() ? "" : ", ") + key;
      if (keys.size() > longest_list) break;
    }
    for (const std::string& key : request.keys)
      if (key.size() > proto::max_store_key) C10_THROW_ERROR(DistStoreError, "a key of the store is too long");
    if (request.keys.size() > proto::most_store_keys || request.value.size() > proto::max_store_value ||
        request.expected.size() > proto::max_store_value)
      C10_THROW_ERROR(DistStoreError, "too much for the store at once: " + keys);
    auto answer = ask_(std::move(request), time == kNoTimeout ? std::chrono::milliseconds::max() : time);
    if (!answer)
      C10_THROW_ERROR(DistStoreError, "wait timeout after " + std::to_string(time.count()) + "ms, keys: " + keys);
    if (!answer->error.empty()) C10_THROW_ERROR(DistStoreError, answer->error);
    return std::move(*answer);
  }
  static Bytes only(const proto::StoreAnswer& answer) {
    if (answer.values.size() != 1) C10_THROW_ERROR(DistStoreError, "the launcher's store answered something else");
    return bytes_of(answer.values.front());
  }

  static constexpr std::size_t longest_list = 256;
  const AskStore ask_;
};

}  // namespace

c10::intrusive_ptr<c10d::Store> launcher_store(AskStore ask) {
  return c10::make_intrusive<LauncherStore>(std::move(ask));
}

}  // namespace tradewind::dist
