// The key-value store through which ranks meet: what a worker asks of its agent, and agents of the controller, which
// keeps it. Values are bytes, on the wire in base64. Plain values and their JSON codec. Thread-safe: pure functions.
// Errors: ProtocolError naming the message and the field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/fields.h"

namespace tradewind::proto {

inline constexpr std::size_t max_store_key = 4096;
inline constexpr std::size_t max_store_value = std::size_t{512} << 10;
inline constexpr std::size_t most_store_keys = 8192;  // of one request
// Values that go together in one message, unless a single one is larger.
inline constexpr std::size_t store_batch = std::size_t{256} << 10;

struct StoreRequest {
  enum class Work {
    set,          // key, value: number 1
    get,          // keys: their values, once all are there
    wait,         // keys: an answer, once all are there
    add,          // key, amount: the sum, which is kept as a decimal text
    compare_set,  // key, expected, value: sets when what is there is as expected; the value afterwards
    check,        // keys: number 1 when all are there, else 0
    remove,       // key: number 1 when it was there, else 0
    count         // number of keys
  };
  std::int64_t id = 0;  // of the asker: comes back in the answer
  Work work = Work::set;
  std::vector<std::string> keys;  // one, but for get, wait and check
  std::string value, expected;
  std::int64_t amount = 0;
};

struct StoreAnswer {
  std::int64_t id = 0;
  std::int64_t number = 0;
  std::vector<std::string> values;  // of the request's keys, in their order
  bool more = false;                // further values come in another answer
  std::string error;                // what could not be done; empty: it was
};

// A key and what it holds.
struct StoreValue {
  std::string key, value;
  bool operator==(const StoreValue&) const = default;
};

std::string base64_of(std::string_view bytes);
// Writes `type` and all other fields.
Json to_json(const char* type, const StoreRequest& request);
Json to_json(const char* type, const StoreAnswer& answer);
StoreRequest store_request_of(const Fields& fields);
StoreAnswer store_answer_of(const Fields& fields);
Json to_json(const std::vector<StoreValue>& values);
std::vector<StoreValue> store_values_of(const Fields& fields, const char* name);
std::vector<std::string> store_keys_of(const Fields& fields, const char* name);
std::string store_key_of(const Fields& fields, const char* name);

}  // namespace tradewind::proto
