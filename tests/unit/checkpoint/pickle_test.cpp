#include <doctest/doctest.h>

#include <cmath>

#include "common/checkpoint/tree.h"
#include "common/errors.h"
#include "tests/unit/checkpoint/pickle_builder.h"
#include "tests/unit/checkpoint/pickles.h"

namespace tradewind::checkpoint {
namespace {

std::shared_ptr<const Tree> tree_of(const std::string& pickle) { return Tree::read_pickle(pickle, nullptr); }

template <class T>
const T& as(const Node& node) {
  REQUIRE(std::holds_alternative<T>(node.value().data));
  return std::get<T>(node.value().data);
}

using Shape = std::vector<std::int64_t>;

TEST_CASE("plain values, sharing and cycles read the same from every protocol") {
  for (const char* hex : {pickles::values_2, pickles::values_3, pickles::values_4, pickles::values_5}) {
    const auto tree = tree_of(pickles::bytes(hex));
    const Node root = tree->root();
    const auto shared = root.at("shared").items();
    REQUIRE(shared.size() == 2);
    CHECK(shared[0].as_int() == 1);
    CHECK(shared[1].as_double() == 2.5);
    CHECK(&root.at("again").value() == &root.at("shared").value());
    CHECK(root.at("none").is_none());
    CHECK(root.at("yes").as_bool());
    CHECK(root.at("big").as_int() == std::int64_t{1} << 40);
    CHECK(root.at("neg").as_int() == -3);
    CHECK(root.at("huge").class_name() == "builtins.int");
    CHECK_THROWS_AS((void)root.at("huge").as_int(), UserError);
    CHECK(as<Bytes>(root.at("bytes")).data == std::string("\x00\xff", 2));
    CHECK(root.walk("pair.0").as_int() == 1);
    CHECK(root.walk("pair.1").as_string() == "x");
    CHECK(as<Set>(root.at("set")).items.size() == 1);
    CHECK(root.at("set").items()[0].as_int() == 7);
    const auto ordered = root.at("od").entries();
    REQUIRE(ordered.size() == 2);
    CHECK(ordered[0].first == "b");
    CHECK(ordered[1].second.as_int() == 2);
    CHECK(&root.walk("self.self.self").value() == &root.value());
  }
}

TEST_CASE("numpy arrays and scalars, as protocols 2, 4 and 5 spell them") {
  for (const char* hex : {pickles::numpy_2, pickles::numpy_4, pickles::numpy_5}) {
    const auto tree = tree_of(pickles::bytes(hex));
    const auto items = tree->root().items();
    REQUIRE(items.size() == 9);
    const TensorDescriptor& rows = items[0].as_tensor();
    CHECK(rows.dtype == ScalarType::f32);
    CHECK(rows.shape == Shape{2, 3});
    CHECK(rows.strides == Shape{3, 1});
    CHECK(rows.path == "0");
    CHECK(rows.contiguous());
    CHECK(to_double(rows) == std::vector<double>{0, 1, 2, 3, 4, 5});
    const TensorDescriptor& columns = items[1].as_tensor();
    CHECK(columns.dtype == ScalarType::i64);
    CHECK(columns.strides == Shape{1, 2});
    CHECK_FALSE(columns.contiguous());
    CHECK(to_int64(columns) == Shape{0, 1, 2, 3, 4, 5});
    CHECK(items[2].as_double() == 1.5);
    CHECK(items[3].as_int() == -4);
    CHECK(items[4].as_bool());
    CHECK(items[5].as_tensor().dtype == ScalarType::boolean);
    CHECK(to_int64(items[5].as_tensor()) == Shape{1, 0});
    CHECK_THROWS_AS((void)items[6].as_tensor(), UserError);  // objects
    CHECK_THROWS_AS((void)items[7].as_tensor(), UserError);  // big-endian
    CHECK(items[8].as_double() == 2.5);
  }
}

TEST_CASE("arrays outlive the tree as long as its contents are held") {
  std::shared_ptr<const void> contents;
  TensorDescriptor rows;
  {
    const auto tree = tree_of(pickles::bytes(pickles::numpy_4));
    contents = tree->contents();
    rows = tree->root().items()[0].as_tensor();
  }
  CHECK(to_double(rows) == std::vector<double>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("integers of every opcode") {
  using namespace std::string_literals;
  const std::string items = "K\xff"s + "M\xff\xff"s + "J\xff\xff\xff\x7f"s + "J\x00\x00\x00\x80"s + "\x8a\x00"s +
                            "\x8a\x01\x80"s + "\x8a\x02\xff\x00"s + "\x8b\x03\x00\x00\x00\x01\x00\xff"s +
                            "\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80"s + "I12\n"s + "I01\n"s + "L-5L\n"s + "F-0.5\n"s +
                            "G\xc0\x04\x00\x00\x00\x00\x00\x00"s;
  const auto tree = tree_of(ops::begin() + "(" + items + "l.");
  std::vector<double> values;
  for (const Node& node : tree->root().items())
    values.push_back(std::holds_alternative<bool>(node.value().data) ? 100 + node.as_bool() : node.as_double());
  CHECK(values == std::vector<double>{255, 65535, 2147483647, -2147483648.0, 0, -128, 255, -65535, -std::ldexp(1, 63),
                                      12, 101, -5, -0.5, -2.5});
}

TEST_CASE("texts and bytes of every opcode") {
  using namespace std::string_literals;
  const std::string items = ops::text("h\xc3\xa9") +
                            "\x8c\x01"
                            "a"s +
                            "\x8d"s + little(2, 8) + "bc" + "T"s + little(1, 4) + "d" +
                            "U\x01"
                            "e" +
                            "S'f\\x01\\n'\n" + "V\xe9\\u00e9\\U0001f600\n" + ops::bytes("xy") + "C\x01z" + "\x8e" +
                            little(1, 8) + "1" + "\x96" + little(1, 8) + "2";
  const auto tree = tree_of(ops::begin(5) + "(" + items + "t.");
  const auto read = tree->root().items();
  const std::vector<std::string> texts = {
      "h\xc3\xa9", "a", "bc", "d", "e", "f\x01\n", "\xc3\xa9\xc3\xa9\xf0\x9f\x98\x80"};
  REQUIRE(read.size() == texts.size() + 4);
  for (std::size_t i = 0; i < texts.size(); ++i) CHECK(read[i].as_string() == texts[i]);
  CHECK(as<Bytes>(read[7]).data == "xy");
  CHECK(as<Bytes>(read[8]).data == "z");
  CHECK(as<Bytes>(read[9]).data == "1");
  CHECK(as<Bytes>(read[10]).data == "2");
}

TEST_CASE("a call of anything unknown stays a name with its arguments") {
  const auto tree = tree_of(ops::begin() + ops::call(ops::global("os", "system"), ops::text("touch /tmp/never")) + ".");
  CHECK(tree->root().class_name() == "os.system");
  const auto& object = as<Object>(tree->root());
  REQUIRE(object.arguments.size() == 1);
  CHECK(std::get<std::string>(object.arguments[0]->data) == "touch /tmp/never");
  CHECK(object.state == nullptr);

  const auto getattr =
      tree_of(ops::begin() + ops::call(ops::global("__builtin__", "getattr"), "N" + ops::text("x")) + ".");
  CHECK(getattr->root().class_name() == "builtins.getattr");
}

TEST_CASE("objects of every opcode") {
  const std::string made = ops::global("a.b", "C");
  const std::vector<std::string> ways = {
      made + "K\x01\x85R",     made + "K\x01\x85\x81",
      made + "K\x01\x85}\x92", ops::text("a.b") + ops::text("C") + "\x93" + "K\x01\x85R",
      "(" + made + "K\x01o",   std::string("(K\x01i") + "a.b\nC\n"};
  for (const std::string& way : ways) {
    const auto tree = tree_of(ops::begin(4) + way + "}" + ops::text("x") + "K\x02sb.");
    CHECK(tree->root().class_name() == "a.b.C");
    CHECK(std::get<std::int64_t>(as<Object>(tree->root()).arguments.at(0)->data) == 1);
    CHECK(tree->root().at("x").as_int() == 2);
  }
  const auto old = tree_of(
      ops::begin() +
      ops::call(ops::global("copy_reg", "_reconstructor"), made + ops::global("__builtin__", "object") + "N") + ".");
  CHECK(old->root().class_name() == "a.b.C");
  const auto slots = tree_of(ops::begin() + made + ")\x81" + "N}" + ops::text("x") +
                             "K\x02s\x86"
                             "b.");
  CHECK(slots->root().at("x").as_int() == 2);
}

TEST_CASE("builtin containers, made by calls") {
  const auto item = [](const std::string& pickle) { return tree_of(ops::begin() + pickle + "."); };
  const std::string pair = ops::tuple(ops::text("k") + "K\x05");
  for (const auto& [module, name] : {std::pair("collections", "OrderedDict"), std::pair("__builtin__", "dict")})
    CHECK(item(ops::call(ops::global(module, name), "]" + pair + "a"))->root().at("k").as_int() == 5);
  const auto fallback = item(ops::call(ops::global("collections", "defaultdict"), ops::global("__builtin__", "list")) +
                             ops::text("k") + "K\x05s");
  CHECK(fallback->root().at("k").as_int() == 5);
  for (const char* name : {"list", "tuple", "set", "frozenset"})
    CHECK(item(ops::call(ops::global("__builtin__", name),
                         "]K\x07"
                         "a"))
              ->root()
              .items()
              .at(0)
              .as_int() == 7);
  CHECK(item(ops::call(ops::global("torch", "Size"), pair))->root().items().size() == 2);
  CHECK(as<Bytes>(item(ops::call(ops::global("_codecs", "encode"), ops::text("\xc3\xbf"
                                                                             "a") +
                                                                       ops::text("latin1")))
                      ->root())
            .data ==
        "\xff"
        "a");
  CHECK_THROWS_AS(
      (void)item(ops::call(ops::global("_codecs", "encode"), ops::text("\xe2\x82\xac") + ops::text("latin1"))),
      UserError);
}

TEST_CASE("a later equal key replaces the value of an earlier one") {
  const std::string key = ops::tuple(ops::text("a") + ops::text("b")), nan = std::string("G\x7f\xf8\0\0\0\0\0\0", 9);
  const auto tree = tree_of(ops::begin() + "}(" + ops::text("x") + "K\x01" + key + "K\x02" + nan + "N" +
                            ops::text("x") + "K\x03" + key + "K\x04" + nan + "Nu.");
  const auto& items = as<Dict>(tree->root()).items;
  CHECK(items.size() == 3);
  CHECK(tree->root().entries().at(0).first == "x");
  CHECK(tree->root().at("x").as_int() == 3);
  CHECK(tree->root().at("a,b").as_int() == 4);
}

TEST_CASE("the memo, the stack's marks and duplicates") {
  // MEMOIZE numbers from 0: the list is 0, the first 1 is 1. DUP doubles it; POP and POP_MARK throw away.
  const std::string filled = "]\x94(K\x01\x94K\x02" + ops::get(1) + "2" + "e";
  const std::string thrown_away =
      "K\x09"
      "0(K\x09K\x09"
      "1";
  const auto tree = tree_of(ops::begin(4) + filled + thrown_away + ops::get(0) + "a.");
  const auto items = tree->root().items();
  REQUIRE(items.size() == 5);
  CHECK(items[2].as_int() == 1);
  CHECK(items[3].as_int() == 1);
  CHECK(&items[4].value() == &tree->root().value());
}

}  // namespace
}  // namespace tradewind::checkpoint
