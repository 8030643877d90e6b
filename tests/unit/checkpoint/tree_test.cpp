#include "common/checkpoint/tree.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "common/errors.h"
#include "tests/unit/checkpoint/pickle_builder.h"
#include "tests/unit/checkpoint/pickles.h"

namespace tradewind::checkpoint {
namespace {

using Shape = std::vector<std::int64_t>;

std::shared_ptr<const Tree> golden(const std::string& name) {
  return Tree::read(archive::Archive::open(TRADEWIND_GOLDEN_DIR "/" + name + "/inference-last.ckpt"));
}

double sum(const TensorDescriptor& tensor) {
  const auto values = to_double(tensor);
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// Shape and sums are what the reference's own loading gives.
struct Expected {
  const char* path;
  Shape shape;
  double sum, sum_of_magnitudes;
};

void check_tensors(const Tree& tree, const std::vector<Expected>& expected) {
  for (const Expected& row : expected) {
    CAPTURE(row.path);
    const TensorDescriptor& tensor = tree.root().walk(row.path).as_tensor();
    CHECK(tensor.shape == row.shape);
    CHECK(tensor.contiguous());
    CHECK(sum(tensor) == doctest::Approx(row.sum).epsilon(1e-12).scale(row.sum_of_magnitudes));
    double magnitudes = 0;
    for (const double value : to_double(tensor)) magnitudes += std::fabs(value);
    CHECK(magnitudes == doctest::Approx(row.sum_of_magnitudes).epsilon(1e-12));
  }
}

std::string message(const Node& node, const char* dotted) {
  try {
    (void)node.walk(dotted);
  } catch (const UserError& error) {
    return error.what();
  }
  return {};
}

bool says(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

TEST_CASE("the tensors of the present generation") {
  const auto tree = golden("gt-transformer");
  const Node root = tree->root();
  CHECK(root.class_name() == "anemoi.models.interface.AnemoiModelInterface");
  CHECK(root.path().empty());
  check_tensors(
      *tree,
      {
          {"pre_processors.data.processors.normalizer._norm_mul", {21}, 2589.4010283088573, 2589.4010283088573},
          {"pre_processors.data.processors.normalizer._output_idx", {10}, 108, 108},
          {"model.node_attributes.latlons_data", {5248, 4}, 4070.0745982751255, 13362.627561866253},
          {"model.encoder_graph_provider.data.trainable.trainable", {7568, 4}, -52.23697632268022, 12105.807495023231},
          {"model.encoder.0.proc.lin_edge.weight", {32, 7}, -5.181489506736398, 72.89994074683636},
          {"model.encoder.0.proc.node_dst_mlp.mlp.2.weight", {32, 128}, -8.383664204300658, 293.0237869132379},
          {"model.processor.proc.1.attention.lin_k.weight", {32, 32}, 13.464161387237255, 226.78573264315492},
          {"model.encoder_graph_provider.data.perm", {7568}, 28633528, 28633528},
      });
  const Node weight = root.walk("model.encoder.0.proc.lin_query.weight");
  CHECK(weight.path() == "model.encoder.0.proc.lin_query.weight");
  const TensorDescriptor& query = weight.as_tensor();
  CHECK(query.path == weight.path());
  CHECK(query.dtype == ScalarType::f32);
  CHECK(query.strides == Shape{32, 1});
  const auto values = to_double(query);
  CHECK(values[0] == -0.14172963798046112);
  CHECK(values[2] == 0.35225391387939453);
  CHECK(values[33] == 0.6875920295715332);

  const TensorDescriptor& edges = root.walk("model.encoder_graph_provider.data.edge_index_base").as_tensor();
  CHECK(edges.dtype == ScalarType::i32);
  CHECK(edges.shape == Shape{2, 7568});
  const auto indices = to_int64(edges);
  CHECK(Shape(indices.begin(), indices.begin() + 4) == Shape{32, 34, 33, 37});
  CHECK(to_int64(root.walk("model.encoder_graph_provider.data.edge_inc").as_tensor()) == Shape{5248, 642});
  CHECK(root.walk("model.encoder_graph_provider.data.trainable_layout_version").as_int() == 1);
}

TEST_CASE("tensors lie in the mapped file and are shared where Python shares them") {
  const auto tree = golden("gt-transformer");
  const Node root = tree->root();
  const archive::Archive& archive = *tree->archive();
  const auto* first = archive.bytes(archive.entries()[0]).data() - archive.entries()[0].offset;
  const TensorDescriptor& weight = root.walk("model.encoder.0.proc.lin_query.weight").as_tensor();
  CHECK(weight.data >= first);
  CHECK(weight.data < first + archive.file_size());

  CHECK(&root.walk("pre_processors.data.processors.normalizer").value() ==
        &root.walk("post_processors.data.processors.normalizer").value());
  CHECK(&root.walk("model.encoder.0.proc.layer_norm_attention").value() ==
        &root.walk("model.encoder.0.proc.layer_norm_attention_dest").value());
}

TEST_CASE("the tensors of old generations") {
  const auto tree = golden("legacy/0.6.0-aifs");
  const Node root = tree->root();
  CHECK(root.at("model").class_name() == "anemoi.models.models.encoder_processor_decoder.AnemoiModelEncProcDec");
  const Node attention = root.walk("model.processor.proc.0.blocks.0.attention");
  CHECK(attention.at("num_heads").as_int() == 4);
  CHECK(attention.at("window_size").as_int() == 40);
  CHECK_FALSE(attention.at("qk_norm").as_bool());
  CHECK(attention.at("softcap").as_double() == 0);
  CHECK(attention.at("alibi_slopes").is_none());
  CHECK(attention.at("attention").class_name() == "anemoi.models.layers.attention.FlashAttentionWrapper");

  // A plain numpy array, and the same through omegaconf's containers.
  for (const char* path : {"statistics.mean", "model.statistics.mean"}) {
    CAPTURE(path);
    const TensorDescriptor& mean = root.walk(path).as_tensor();
    CHECK(mean.dtype == ScalarType::f64);
    const auto values = to_double(mean);
    REQUIRE(values.size() == 19);
    CHECK(values[1] == 0.19);
    CHECK(values[18] == 54100);
  }
  const auto entries = root.walk("model.statistics").entries();
  REQUIRE(entries.size() == 4);
  CHECK(entries[1].first == "stdev");
  CHECK(root.walk("model.statistics.mean").path() == "model.statistics.mean");

  const Node index = root.walk("data_indices.name_to_index");
  CHECK(index.at("2t").as_int() == 2);
  CHECK(to_int64(root.walk("data_indices.data.output.full").as_tensor()) ==
        Shape{0, 1, 2, 6, 9, 10, 13, 14, 15, 16, 18});
  CHECK(root.walk("data_indices.config.training.precision").as_string() == "16-mixed");
  const auto boundings = root.walk("model.boundings").items();
  REQUIRE(boundings.size() == 1);
  CHECK(boundings[0].class_name() == "anemoi.models.layers.bounding.ReluBounding");
  CHECK(boundings[0].path() == "model.boundings.0");
  CHECK(root.walk("model.processor.proc.0.blocks").items().size() == 2);
}
TEST_CASE("errors name the file, the place and what is there") {
  const auto tree = golden("gt-transformer");
  const std::string text = message(tree->root(), "model.encoder.0.proc.lin_question.weight");
  CHECK(says(text, "gt-transformer/inference-last.ckpt: model.encoder.0.proc"));
  CHECK(says(text, "has no 'lin_question'"));
  CHECK(says(text, "GraphTransformerMapperBlock"));
  CHECK(says(text, "lin_query"));
  CHECK(says(message(tree->root(), "model.latent_skip.x"), "a bool has no 'x'"));
  const Node root = tree->root();
  CHECK_THROWS_WITH_AS((void)root.at("model").as_tensor(),
                       doctest::Contains("expected a tensor, found an object of class"), UserError);
  CHECK_THROWS_AS((void)root.at("model").as_int(), UserError);
  CHECK_THROWS_AS((void)root.at("model").as_string(), UserError);
  CHECK_THROWS_AS((void)root.at("model").as_bool(), UserError);
  CHECK_THROWS_AS((void)root.at("model").as_double(), UserError);
  CHECK_THROWS_AS((void)root.walk("model.latent_skip").items(), UserError);
  CHECK_THROWS_AS((void)root.walk("model.latent_skip").entries(), UserError);
  CHECK_FALSE(root.has("absent"));
  CHECK(root.has("model"));
  CHECK_FALSE(root.find("absent"));
}

// The storages of torch.save's dictionary in pickles::torch_2.
std::vector<ZipEntry> torch_file(bool deflated) {
  const auto floats = [](std::initializer_list<float> values) {
    return std::string(reinterpret_cast<const char*>(std::data(values)), values.size() * sizeof(float));
  };
  const auto integers = [](std::initializer_list<std::int64_t> values) {
    return std::string(reinterpret_cast<const char*>(std::data(values)), values.size() * sizeof(std::int64_t));
  };
  return {{"archive/data.pkl", pickles::bytes(pickles::torch_2), deflated},
          {"archive/byteorder", "little", deflated},
          {"archive/data/0", floats({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}), deflated},
          {"archive/data/1", pickles::bytes("803f20c0"), deflated},
          {"archive/data/2", pickles::bytes("0038ff7b"), deflated},
          {"archive/data/3", integers({0, 1, 2, 0}), deflated},
          {"archive/data/4", floats({3, 4}), deflated},
          {"archive/data/5", floats({1, 1}), deflated},
          {"archive/data/6", pickles::bytes("01000200"), deflated},
          {"archive/data/7", "", deflated},
          {"archive/data/8", integers({7}), deflated},
          {"archive/data/9", pickles::bytes("0100"), deflated},
          {"archive/data/10", floats({1}), deflated},
          {"archive/data/11", std::string(8, '\0'), deflated}};
}

TEST_CASE("tensors of every kind, stored (and misaligned) or deflated") {
  for (const bool deflated : {false, true}) {
    const auto tree = Tree::read(archive::Archive::from_bytes(zip_of(torch_file(deflated)), "made.ckpt"));
    const Node root = tree->root();
    const TensorDescriptor &base = root.at("base").as_tensor(), &transposed = root.at("t").as_tensor(),
                           &row = root.at("row").as_tensor();
    CHECK(base.shape == Shape{3, 4});
    CHECK(base.strides == Shape{4, 1});
    CHECK(reinterpret_cast<std::uintptr_t>(base.data) % 4 == 0);
    CHECK(transposed.shape == Shape{4, 3});
    CHECK(transposed.strides == Shape{1, 4});
    CHECK(transposed.data == base.data);
    CHECK_FALSE(transposed.contiguous());
    CHECK(to_double(transposed) == std::vector<double>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
    CHECK(row.data == base.data + 16);
    CHECK(to_double(row) == std::vector<double>{4, 5, 6, 7});
    CHECK(root.at("bf").as_tensor().dtype == ScalarType::bf16);
    CHECK(to_double(root.at("bf").as_tensor()) == std::vector<double>{1, -2.5});
    CHECK(to_double(root.at("half").as_tensor()) == std::vector<double>{0.5, 65504});
    CHECK(root.at("p").as_tensor().shape == Shape{2});
    CHECK(root.at("empty").as_tensor().elements() == 0);
    CHECK(root.at("empty").as_tensor().data == nullptr);
    CHECK(to_double(root.at("empty").as_tensor()).empty());
    CHECK(root.at("scalar").as_int() == 7);
    CHECK(root.at("scalar").as_double() == 7);
    CHECK(to_int64(root.at("bool").as_tensor()) == Shape{1, 0});
    CHECK(root.at("exp").as_tensor().strides == Shape{0, 0});
    CHECK(to_double(root.at("exp").as_tensor()) == std::vector<double>(15, 1.0));

    const SparseDescriptor& sparse = root.at("sp").as_sparse();
    CHECK(sparse.layout == SparseDescriptor::Layout::coordinates);
    CHECK(sparse.path == "sp");
    CHECK(to_int64(sparse.row_indices) == Shape{0, 1});
    CHECK(to_int64(sparse.column_indices) == Shape{2, 0});
    CHECK(to_double(sparse.values) == std::vector<double>{3, 4});

    CHECK_THROWS_AS((void)root.at("u16").as_tensor(), UserError);  // types of which there is none here
    CHECK_THROWS_AS((void)root.at("c").as_tensor(), UserError);
    CHECK_THROWS_AS((void)to_int64(base), UserError);
  }
}

TEST_CASE("half precision, every kind of number") {
  const std::string halves = pickles::bytes(
      "0000008001000080"
      "ff03000400bcff7b"
      "007c00fc007e");
  const std::string pickle =
      ops::begin() + ops::tensor(ops::storage("HalfStorage", "0", 11), 0, "K\x0b", "K\x01") + ".";
  const auto tree =
      Tree::read(archive::Archive::from_bytes(zip_of({{"a/data.pkl", pickle}, {"a/data/0", halves}}), "made"));
  const auto values = to_double(tree->root().as_tensor());
  CHECK(values[0] == 0);
  CHECK(std::signbit(values[1]));
  CHECK(values[2] == std::ldexp(1, -24));
  CHECK(std::signbit(values[3]));
  CHECK(values[4] == std::ldexp(1023, -24));
  CHECK(values[5] == std::ldexp(1, -14));
  CHECK(values[6] == -1);
  CHECK(values[7] == 65504);
  CHECK(values[8] == INFINITY);
  CHECK(values[9] == -INFINITY);
  CHECK(std::isnan(values[10]));
}

TEST_CASE("tensor subclasses and tensors with an explicit type") {
  const std::string inner = ops::tuple(ops::storage("FloatStorage", "0", 2) + ops::integer(0) + ops::tuple("K\x02") +
                                       ops::tuple("K\x01") + "\x89" + "N");
  const std::string wrapped =
      ops::call(ops::global("torch._tensor", "_rebuild_from_type_v2"),
                ops::global("torch._utils", "_rebuild_tensor_v2") + ops::global("a", "Sub") + inner + "}");
  const std::string typed = ops::call(ops::global("torch._utils", "_rebuild_tensor_v3"),
                                      ops::storage("UntypedStorage", "0", 8) + ops::integer(0) + ops::tuple("K\x02") +
                                          ops::tuple("K\x01") + "\x89" + "N" + ops::global("torch", "float32") + "N");
  const std::string parameter = ops::call(ops::global("torch._utils", "_rebuild_parameter_with_state"), wrapped +
                                                                                                            "\x88"
                                                                                                            "N}");
  const float stored[] = {1.5F, -2};
  const std::string pickle = ops::begin() + ops::tuple(wrapped + typed + parameter) + ".";
  const auto tree = Tree::read(archive::Archive::from_bytes(
      zip_of({{"a/data.pkl", pickle}, {"a/data/0", std::string(reinterpret_cast<const char*>(stored), 8)}}), "made"));
  for (const Node& node : tree->root().items()) {
    CHECK(node.as_tensor().dtype == ScalarType::f32);
    CHECK(to_double(node.as_tensor()) == std::vector<double>{1.5, -2});
  }
}

// An object with a state given as what pushes its keys and values.
std::string object(const char* module, const char* name, const std::string& state) {
  return ops::global(module, name) + ")\x81}(" + state + "ub";
}
std::string container(const std::string& items) { return "}(" + items + "u"; }

TEST_CASE("look-up goes where Python's goes") {
  const std::string module =
      object("torch.nn.modules.container", "Sequential",
             ops::text("_parameters") + container(ops::text("weight") + "K\x01" + ops::text("gone") + "N") +
                 ops::text("_buffers") + container(ops::text("index") + "K\x02") + ops::text("_modules") +
                 container(ops::text("0") + "K\x03" + ops::text("mask") + "K\x04") + ops::text("mask") + "K\x05");
  const auto tree = Tree::read_pickle(ops::begin() + module + ".", nullptr);
  const Node root = tree->root();
  CHECK(root.at("weight").as_int() == 1);
  CHECK(root.has("gone"));
  CHECK(root.at("gone").is_none());
  CHECK(root.at("index").as_int() == 2);
  CHECK(root.at("0").as_int() == 3);
  CHECK(root.at("mask").as_int() == 5);  // __dict__ comes first
  CHECK(root.items().size() == 2);
  CHECK(root.entries().at(1).first == "mask");
}

TEST_CASE("dictionary and list subclasses, and omegaconf's wrappers") {
  const std::string dotted = ops::global("anemoi.utils.config", "DotDict") + ")\x81" + ops::text("k") + "K\x01s";
  const std::string list = ops::global("some", "List") +
                           ")\x81(K\x05K\x06"
                           "e";
  const auto leaf = [](const std::string& value) {
    return object("omegaconf.nodes", "AnyNode", ops::text("_metadata") + "N" + ops::text("_val") + value);
  };
  const std::string config =
      object("omegaconf.dictconfig", "DictConfig",
             ops::text("_content") +
                 container(ops::text("a") + leaf("K\x07") + ops::text("b") +
                           object("omegaconf.listconfig", "ListConfig",
                                  ops::text("_content") + "(" + leaf("K\x08") + leaf(ops::text("x")) + "l")));
  const auto tree = Tree::read_pickle(ops::begin() + ops::tuple(dotted + list + config) + ".", nullptr);
  const auto items = tree->root().items();
  CHECK(items[0].at("k").as_int() == 1);
  CHECK(items[0].class_name() == "anemoi.utils.config.DotDict");
  CHECK(items[0].entries().size() == 1);
  CHECK(items[1].items().at(1).as_int() == 6);
  CHECK(items[2].at("a").as_int() == 7);
  CHECK(items[2].entries().at(0).second.as_int() == 7);
  CHECK(items[2].walk("b.1").as_string() == "x");
  CHECK(items[2].walk("b.1").path() == "2.b.1");
  CHECK(items[2].at("b").items().at(0).as_int() == 8);
}

}  // namespace
}  // namespace tradewind::checkpoint
