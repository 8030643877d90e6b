// The CUDA kernel's arithmetic, run on the CPU warp by warp, against the CPU's own kernel.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/helpers/host_warp.h"
#include "worker/kernels/kernels.h"

using namespace tradewind;
using kernels::Element;
using kernels::GraphAttention;

namespace {

struct Case {
  Element element;
  std::int64_t heads, head_size, attributes;
  bool bias;
};

at::ScalarType type_of(Element element) {
  return element == Element::f32 ? at::kFloat : element == Element::bf16 ? at::kBFloat16 : at::kHalf;
}

// Rows without edges, with fewer, as many and more than are added at once, and with many.
class Data {
 public:
  explicit Data(const Case& c) {
    at::manual_seed(11);
    const std::int64_t channels = c.heads * c.head_size, sources = 40;
    const std::int64_t padded = (c.attributes + 7) / 8 * 8;
    std::vector<std::int64_t> first{0};
    for (const std::int64_t degree : {0, 1, 3, 4, 5, 33, 0, 100}) first.push_back(first.back() + degree);
    first_ = at::tensor(first, at::kLong);
    rows = static_cast<std::int64_t>(first.size()) - 1;
    source_ = at::randint(0, sources, {first.back()}, at::kInt);
    query_ = at::randn({rows, channels}) * 2;
    key_ = at::randn({sources, channels}).to(type_of(c.element));
    value_ = at::randn({sources, channels}).to(type_of(c.element));
    attributes_ = at::constant_pad_nd(at::randn({first.back(), c.attributes}), {0, padded - c.attributes});
    weight_ = at::constant_pad_nd(at::randn({channels, c.attributes}), {0, padded - c.attributes}).contiguous();
    weight_t_ = weight_.t().contiguous();
    bias_ = at::randn({channels});
    arguments.query = query_.const_data_ptr<float>();
    arguments.key = key_.const_data_ptr();
    arguments.value = value_.const_data_ptr();
    arguments.element = c.element;
    arguments.first_edge = first_.const_data_ptr<std::int64_t>();
    arguments.source = source_.const_data_ptr<std::int32_t>();
    arguments.attributes = attributes_.const_data_ptr<float>();
    arguments.weight = weight_.const_data_ptr<float>();
    arguments.weight_t = weight_t_.const_data_ptr<float>();
    arguments.bias = c.bias ? bias_.const_data_ptr<float>() : nullptr;
    arguments.heads = c.heads;
    arguments.head_size = c.head_size;
    arguments.attribute_size = padded;
    arguments.scale = 1.0F / std::sqrt(static_cast<float>(c.head_size));
  }
  at::Tensor result() const { return at::full({rows, arguments.heads * arguments.head_size}, NAN, at::kFloat); }

  GraphAttention arguments;
  std::int64_t rows;

 private:
  at::Tensor first_, source_, query_, key_, value_, attributes_, weight_, weight_t_, bias_;
};

}  // namespace

TEST_CASE("the CUDA graph attention computes what the CPU's does") {
  for (const Element element : {Element::f32, Element::bf16, Element::f16}) {
    for (const std::int64_t head_size : {4, 32, 33, 64, 100, 200}) {
      for (const std::int64_t attributes : {3, 16, 70}) {
        Data data({element, 3, head_size, attributes, head_size != 64});
        at::Tensor expected = data.result(), got = data.result();
        data.arguments.out = expected.mutable_data_ptr<float>();
        std::vector<float> scratch(kernels::best().graph_attention_scratch(data.arguments));
        kernels::best().graph_attention(data.arguments, 0, data.rows, scratch.data());
        data.arguments.out = got.mutable_data_ptr<float>();
        cuda::graph_attention_on_host(data.arguments, 0, data.rows);
        CAPTURE(static_cast<int>(element));
        CAPTURE(head_size);
        CAPTURE(attributes);
        CHECK((got - expected).abs().max().item<double>() < 2e-4);
        CHECK(got[0].abs().max().item<double>() == 0);  // no edges
      }
    }
  }
}

TEST_CASE("large scores neither overflow nor lose the softmax") {
  Data data({Element::f32, 2, 64, 8, true});
  data.arguments.scale = 500;
  at::Tensor got = data.result();
  data.arguments.out = got.mutable_data_ptr<float>();
  cuda::graph_attention_on_host(data.arguments, 0, data.rows);
  CHECK(at::isfinite(got).all().item<bool>());
}

TEST_CASE("every stored half widens to its value") {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float f16 = cuda::widen(cuda::F16{half}), expected = c10::Half(half, c10::Half::from_bits());
    const bool same = std::isnan(expected)
                          ? std::isnan(f16)
                          : std::bit_cast<std::uint32_t>(f16) == std::bit_cast<std::uint32_t>(expected);
    if (!same) FAIL("f16 bits ", bits, " became ", f16, ", not ", expected);
    const float bf16 = cuda::widen(cuda::Bf16{half});
    if (std::bit_cast<std::uint32_t>(bf16) != bits << 16) FAIL("bf16 bits ", bits);
  }
}
