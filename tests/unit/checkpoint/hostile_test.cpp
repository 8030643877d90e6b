// Hostile checkpoints: each ends in one UserError, in bounded time and memory. tests/hostile has the same as files.
#include <doctest/doctest.h>

#include <cstdint>
#include <string_view>

#include "common/checkpoint/tree.h"
#include "common/errors.h"
#include "tests/unit/checkpoint/pickle_builder.h"

namespace tradewind::checkpoint {
namespace {

// What reading `pickle` beside one storage "0" of 64 bytes ends with; empty when it is accepted.
std::string refusal(const std::string& pickle, const std::vector<ZipEntry>& more = {}) {
  std::vector<ZipEntry> entries = {{"a/data.pkl", pickle}, {"a/data/0", std::string(64, '\0')}};
  entries.insert(entries.end(), more.begin(), more.end());
  try {
    (void)Tree::read(archive::Archive::from_bytes(zip_of(entries), "made.ckpt"));
  } catch (const UserError& error) {
    CHECK(std::string(error.what()).find("made.ckpt") != std::string::npos);
    return error.what();
  }
  return {};
}

bool says(const std::string& message, const char* part) {
  CAPTURE(message);
  return message.find(part) != std::string::npos;
}

std::string repeated(std::string_view part, std::size_t count) {
  std::string text;
  text.reserve(part.size() * count);
  while (count-- > 0) text += part;
  return text;
}

std::string begin(int protocol = 4) { return ops::begin(protocol); }

std::string float_tensor(std::int64_t offset, const std::string& size, const std::string& stride,
                         std::int64_t count = 16) {
  return begin() + ops::tensor(ops::storage("FloatStorage", "0", count), offset, size, stride) + ".";
}

TEST_CASE("malformed pickles") {
  using ops::integer;
  CHECK(says(refusal(""), "empty"));
  CHECK(says(refusal("N."), "not a pickle"));
  CHECK(says(refusal(begin(1) + "N."), "protocol 1"));
  CHECK(says(refusal(begin(6) + "N."), "protocol 6"));
  CHECK(says(refusal(begin() + "N"), "ends 1 bytes early"));
  CHECK(says(refusal(begin() + "."), "empty stack"));
  CHECK(says(refusal(begin() + "N(."), "empty stack"));
  CHECK(says(refusal(begin() + "K\x01\x86."), "empty stack"));
  CHECK(says(refusal(begin() + "(K\x01\x86."), "empty stack"));
  CHECK(says(refusal(begin() + "t."), "no mark"));
  CHECK(says(refusal(begin() + "h\x05."), "memo entry 5"));
  CHECK(says(refusal(begin() + "Nr\xff\xff\xff\xff."), "out of range"));
  CHECK(says(refusal(begin() + "g-1\n."), "malformed"));
  CHECK(says(refusal(begin() + "X" + little(1000, 4) + "short."), "early"));
  CHECK(says(refusal(begin() + "\x8d" + little(~0ULL, 8) + "short."), "early"));
  CHECK(says(refusal(begin() + "\x96" + little(~0ULL, 8) + "short."), "early"));
  CHECK(says(refusal(begin() + "\x8b" + little(0xffffffff, 4) + "."), "negative"));
  CHECK(says(refusal(begin() + "T" + little(0x80000000, 4) + "."), "negative"));
  CHECK(says(refusal(begin() + "\x95" + little(1 << 20, 8) + "N."), "frame"));
  CHECK(says(refusal(begin() + "cos\nsystem"), "does not end"));
  CHECK(says(refusal(begin() + "\x82\x01."), "extension"));
  CHECK(says(refusal(begin() + "\x97."), "out-of-band"));
  CHECK(says(refusal(begin() + "Pid\n."), "persistent"));
  CHECK(says(refusal(begin() + "K\x01Q."), "persistent"));
  CHECK(says(refusal(begin() + "\xff."), "unknown opcode 255"));
  CHECK(says(refusal(begin() + "NNR."), "arguments"));
  CHECK(says(refusal(begin() + "N)R."), "not callable"));
  CHECK(says(refusal(begin() + "K\x01K\x02\x93."), "no text"));
  CHECK(says(refusal(begin() + "NNb."), "has none"));
  CHECK(says(refusal(begin() + "K\x01K\x02"
                               "a."),
             "no list"));
  CHECK(says(refusal(begin() + "]NNs."), "no dictionary"));
  CHECK(says(refusal(begin() + "}(Nu."), "no value"));
  CHECK(says(refusal(begin() + "I12x\n."), "integer"));
  CHECK(says(refusal(begin() + "S'open\n."), "text"));
  CHECK(says(refusal(begin() + ops::global("a", std::string(5000, 'x')) + "."), "too long"));
  CHECK(says(refusal(begin() + ops::global("a", "b") + ")\x81}b}b."), "twice"));
  CHECK(refusal(begin() + "N.").empty());
}

TEST_CASE("tensors that reach outside their storage") {
  using ops::integer;
  const std::string one = integer(1);
  CHECK(refusal(float_tensor(0, integer(16), one)).empty());
  CHECK(says(refusal(float_tensor(0, integer(17), one)), "beyond storage 0"));
  CHECK(says(refusal(float_tensor(1, integer(16), one)), "beyond storage 0"));
  CHECK(says(refusal(float_tensor(0, integer(4) + integer(4), integer(5) + one)), "beyond storage 0"));
  CHECK(says(refusal(float_tensor(0, integer(17), one, 17)), "but its entry only 64"));
  CHECK(says(refusal(float_tensor(0, one, one, std::int64_t{1} << 62)), "malformed"));
  CHECK(says(refusal(float_tensor(0, one, one, -1)), "malformed"));
  CHECK(says(refusal(float_tensor(-1, one, one)), "overflows"));
  CHECK(says(refusal(float_tensor(INT64_MAX, one, one)), "beyond"));
  CHECK(says(refusal(float_tensor(0, integer(-1), one)), "size is negative"));
  CHECK(says(refusal(float_tensor(15, integer(16), integer(-1))), "stride is negative"));
  CHECK(says(refusal(float_tensor(0, integer(1LL << 32) + integer(1LL << 32), one + one)), "overflows"));
  CHECK(says(refusal(float_tensor(0, integer(3) + integer(3), integer(INT64_MAX) + integer(INT64_MAX))), "beyond"));
  CHECK(says(refusal(float_tensor(0, integer(1LL << 40), integer(0))), "repeats"));
  CHECK(says(refusal(float_tensor(0, integer(0) + integer(1LL << 62) + integer(4), one + one + one)), "overflows"));
  CHECK(says(refusal(float_tensor(0, one + one, one)), "more sizes than strides"));
  CHECK(says(refusal(float_tensor(0, repeated(one, 65), repeated(one, 65))), "malformed"));
  CHECK(says(refusal(float_tensor(0, "N", one)), "integers"));
  CHECK(says(refusal(begin() + ops::tensor(ops::storage("FloatStorage", "1", 1), 0, one, one) + "."), "no entry"));
  CHECK(says(refusal(begin() + ops::tensor(ops::storage("FloatStorage", "../data/0", 1), 0, one, one) + "."),
             "no entry"));
  CHECK(
      says(refusal(begin() + ops::call(ops::global("torch._utils", "_rebuild_tensor_v2"), "NNNN") + "."), "malformed"));
  CHECK(says(refusal(begin() + ops::call(ops::global("torch._utils", "_rebuild_tensor_v2"), "") + "."), "too few"));
}

TEST_CASE("numpy arrays whose bytes do not fit their shape") {
  const std::string dtype =
      ops::call(ops::global("numpy", "dtype"), ops::text("f4") + "\x89\x88") + "(K\x03" + ops::text("<") + "tb";
  const auto array = [&](const std::string& shape, const std::string& content) {
    return begin() + ops::call(ops::global("numpy.core.multiarray", "_reconstruct"), "NNN") + "(K\x01" +
           ops::tuple(shape) + dtype + "\x89" + ops::bytes(content) + "tb.";
  };
  CHECK(refusal(array("K\x02", std::string(8, 'x'))).empty());
  CHECK(says(refusal(array("K\x02", std::string(7, 'x'))), "does not match"));
  CHECK(says(refusal(array("K\x03", std::string(8, 'x'))), "does not match"));
  CHECK(says(refusal(array(ops::integer(-2), std::string(8, 'x'))), "negative"));
  CHECK(says(refusal(array(ops::integer(1LL << 62) + "K\x10", "")), "does not match"));
  CHECK(says(
      refusal(begin() + ops::call(ops::global("numpy.core.multiarray", "scalar"), dtype + ops::bytes("xyz")) + "."),
      "does not match"));
}

TEST_CASE("deep nesting") {
  CHECK(says(refusal(begin() + repeated("(", 100000) + "."), "nests deeper"));
  CHECK(says(refusal(begin() + "N" + repeated("\x85", 100000) + "."), "nests deeper"));
  CHECK(says(refusal(begin() + repeated("]", 100000) + repeated("a", 99999) + "."), "nests deeper"));
  // Filled from the outside in, it is not seen to nest; nothing may recurse into it either.
  CHECK(refusal(begin() + "]" + repeated("]q\1ah\1", 200000) + ".").empty());
}

TEST_CASE("memo bombs") {
  // Each line holds the one before it ten times: 10^60 leaves in a kilobyte. Accepted, since nothing unfolds it.
  std::string bomb = begin() + "N\x94";
  for (int level = 0; level < 60; ++level)
    bomb += "(" + repeated(std::string("h") + static_cast<char>(level), 10) + "t\x94";
  CHECK(refusal(bomb + ".").empty());
  // As keys, where content is compared.
  std::string keys = begin() + "N\x94";
  for (int level = 0; level < 60; ++level)
    keys += "(" + repeated(std::string("h") + static_cast<char>(level), 7) + "t\x94";
  CHECK(refusal(keys + "}(h\x3cNh\x3bNh\x3cNu.").empty());

  // Two long keys that differ at their end only, looked up again and again.
  const std::string long_key(1 << 20, 'x');
  CHECK(refusal(begin() + ops::text(long_key + "a") +
                "\x94"
                "0" +
                ops::text(long_key + "b") +
                "\x94"
                "0}(" +
                repeated(std::string("h\0Nh\1N", 6), 200000) + "u.")
            .empty());

  // What copies a shared part, again and again.
  const std::string megabyte(1 << 20, 'x');
  CHECK(says(refusal(begin() + ops::global("_codecs", "encode") +
                     "\x94"
                     "0" +
                     ops::tuple(ops::text(megabyte) + ops::text("latin1")) +
                     "\x94"
                     "0" +
                     repeated(std::string("h\0h\1R0", 6), 100000) + "N."),
             "far more memory"));
  const std::string wide = "(" + repeated("N", 100000) +
                           "t\x94"
                           "0";
  for (const char* callable : {"list", "tuple", "set", "unknown"})
    CHECK(says(refusal(begin() + ops::global("builtins", callable) +
                       "\x94"
                       "0" +
                       wide +
                       std::string("h\1\x85\x94"
                                   "0",
                                   5) +
                       repeated(std::string(callable[0] == 'u' ? "h\0h\1R0" : "h\0h\2R0", 6), 100000) + "N."),
               "far more memory"));
  CHECK(says(refusal(begin() + ops::global("a", std::string(4000, 'x')) +
                     "\x94"
                     "0" +
                     repeated(std::string("h\0)R0", 5), 200000) + "N."),
             "far more memory"));
}

TEST_CASE("too many values") {
  CHECK(says(refusal(begin() + repeated("]0", 4'000'001) + "N."), "more than 4000000 values"));
  CHECK(says(refusal(begin() + "N" + repeated("2", 4'000'001) + "."), "stack"));
}

TEST_CASE("archives that are no checkpoint") {
  const auto refused = [](const std::vector<ZipEntry>& entries) {
    try {
      (void)Tree::read(archive::Archive::from_bytes(zip_of(entries), "made.ckpt"));
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string fine = begin() + "N.";
  CHECK(refused({{"a/data.pkl", fine}, {"a/byteorder", "little"}}).empty());
  CHECK(refused({{"a/data.pkl", fine}, {"b/anemoi-metadata/anemoi.json", "{}"}}).empty());
  CHECK(says(refused({{"a/data.pkl", fine}, {"a/byteorder", "big"}}), "little-endian"));
  CHECK(says(refused({{"a/data.pkl", fine}, {"a/byteorder", std::string(1000, 'x')}}), "more than"));
  CHECK(says(refused({{"a/other", fine}}), "no data.pkl"));
  CHECK(says(refused({{"a/b/data.pkl", fine}}), "no data.pkl"));
  CHECK(says(refused({{"a/data.pkl", fine}, {"b/data.pkl", fine}}), "more than one"));
  CHECK(says(refused({{"a/data.pkl", fine}, {"a/constants.pkl", fine}}), "TorchScript"));
}

TEST_CASE("compressed storages stay bounded") {
  const std::string one = ops::integer(1);
  std::vector<ZipEntry> entries;
  std::string pickle = begin() + "(";
  for (const char* key : {"big1", "big2"}) {
    ZipEntry entry{.name = std::string("a/data/") + key, .content = "x", .deflated = true, .zip64 = true};
    entry.size_error = std::int64_t{700} << 20;
    entries.push_back(entry);
    pickle += ops::tensor(ops::storage("FloatStorage", key, 1), 0, one, one);
  }
  CHECK(says(refusal(pickle + "t.", entries), "more than 268435456 bytes"));
}

TEST_CASE("a compressed storage larger than the model wants is not unpacked") {
  const std::string one = ops::integer(1);
  ZipEntry entry{.name = "a/data/big", .content = "x", .deflated = true};
  entry.size_error = std::int64_t{100} << 20;
  const std::string pickle = begin() + ops::tensor(ops::storage("FloatStorage", "big", 1), 0, one, one) + ".";
  CHECK(says(refusal(pickle, {entry}), "of which the model wants 4"));
}

}  // namespace
}  // namespace tradewind::checkpoint
