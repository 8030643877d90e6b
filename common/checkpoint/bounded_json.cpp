#include "common/checkpoint/bounded_json.h"

#include <vector>

#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

// What a value of a list, and a key with its value in a table, take; lists grow by doubling.
constexpr std::uint64_t value_bytes = 2 * sizeof(Json), key_bytes = 2 * (sizeof(std::string) + sizeof(Json));
constexpr std::uint64_t container_bytes = 64;

// Counts; builds nothing.
class Meter : public nlohmann::json_sax<Json> {
 public:
  explicit Meter(const JsonBounds& bounds) : bounds_(bounds) {}

  bool null() override { return value(0); }
  bool boolean(bool) override { return value(0); }
  bool number_integer(number_integer_t) override { return value(0); }
  bool number_unsigned(number_unsigned_t) override { return value(0); }
  bool number_float(number_float_t, const string_t&) override { return value(0); }
  bool string(string_t& text) override { return value(sizeof(std::string) + text.size()); }
  bool binary(binary_t& bytes) override { return value(bytes.size()); }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    steps_ += keys_.back()++ * (1 + name.size() / 64);
    if (steps_ > bounds_.key_steps) refuse("has a table of too many keys (" + std::to_string(keys_.back()) + ")");
    charge(key_bytes + name.size());
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  [[noreturn]] static void refuse(const std::string& what) {
    throw UserError("the metadata " + what, "metadata", "the checkpoint is damaged; export it again");
  }

  void charge(std::uint64_t bytes) {
    bytes_ += bytes;
    if (bytes_ > bounds_.bytes)
      refuse("takes more than " + std::to_string(bounds_.bytes >> 20) + " MiB of memory once it is read");
  }
  bool value(std::uint64_t bytes) {
    if (++values_ > bounds_.values) refuse("has more than " + std::to_string(bounds_.values) + " values");
    charge(value_bytes + bytes);
    return true;
  }
  bool open() {
    if (keys_.size() >= bounds_.depth) refuse("is nested deeper than " + std::to_string(bounds_.depth));
    keys_.push_back(0);
    return value(container_bytes);
  }
  bool close() {
    keys_.pop_back();
    return true;
  }

  const JsonBounds& bounds_;
  std::vector<std::uint64_t> keys_;  // so far, of what is open
  std::size_t values_ = 0;
  std::uint64_t bytes_ = 0, steps_ = 0;
};

}  // namespace

Json parse_within(const std::string& text, const JsonBounds& bounds) {
  Meter meter(bounds);
  if (!Json::sax_parse(text, &meter)) return Json(Json::value_t::discarded);
  return Json::parse(text, nullptr, false);
}

}  // namespace tradewind::checkpoint
