// Samplers against what the reference makes with the same network, schedule and random numbers.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/sampling/reference.h"
#include "worker/nn/drawn_rows.h"
#include "worker/nn/samplers.h"

using namespace tradewind;

namespace {

struct Shape {
  std::int64_t steps, rows, columns;
};
const std::vector<Shape> shapes = {{2, 5, 2}, {1, 6, 3}};  // of the two datasets

nn::Fields network(const nn::Fields& y, double level) {
  nn::Fields out;
  for (const at::Tensor& field : y) {
    CHECK(field.is_floating_point());
    CHECK(field.element_size() == 4);
    const at::Tensor below = at::full({1}, 1 + static_cast<float>(level), at::kFloat);
    out.push_back(field.mul(0.5).div(below).add(0.25));
  }
  return out;
}

// As rows, which is how the model has them.
nn::Fields start(double scale) {
  nn::Fields out;
  for (const Shape& shape : shapes) {
    const std::int64_t count = shape.steps * shape.rows * shape.columns;
    const at::Tensor field = at::arange(count, at::kDouble).mul(0.1).sub(1).mul(scale);
    out.push_back(nn::own_rows(field.view({shape.steps, shape.rows, shape.columns}), {0, shape.rows}));
  }
  return out;
}

struct Result {
  nn::Fields fields;
  int calls = 0;
};

Result run(const sampling::Sampler& sampler, const std::vector<double>& levels, bool moves) {
  Result result;
  const at::Generator random = at::detail::createCPUGenerator(7);
  const nn::Draw draw = [&](std::size_t dataset) {
    const Shape& shape = shapes[dataset];
    return nn::drawn_rows(random, at::kDouble, shape.steps, shape.rows, shape.columns, {0, shape.rows});
  };
  const nn::Network counted = [&](const nn::Fields& y, double level) {
    ++result.calls;
    return network(y, level);
  };
  result.fields = moves ? nn::move_in_time(sampler, levels, start(1), counted)
                        : nn::denoise(sampler, levels, start(levels.front()), counted, draw);
  return result;
}

void same(const at::Tensor& rows, const Shape& shape, const std::vector<double>& want) {
  REQUIRE(rows.numel() == static_cast<std::int64_t>(want.size()));
  CHECK(rows.element_size() == 4);
  const at::Tensor expected =
      nn::own_rows(at::tensor(want, at::kFloat).view({shape.steps, shape.rows, shape.columns}), {0, shape.rows});
  CHECK((rows - expected).abs().max().item<double>() < 3e-6);
}

void same(const Result& result, const std::vector<double>& a, const std::vector<double>& b, int calls) {
  REQUIRE(result.fields.size() == 2);
  same(result.fields[0], shapes[0], a);
  same(result.fields[1], shapes[1], b);
  CHECK(result.calls == calls);
}

sampling::Sampler named(const char* name) {
  sampling::Sampler sampler;
  sampler.name = name;
  return sampler;
}

}  // namespace

TEST_CASE("samplers that remove noise make what the reference makes") {
  using namespace reference;
  same(run(named("heun"), levels_karras, false), heun_a, heun_b, 9);
  same(run(named("heun"), levels_karras_one, false), heun_one_a, heun_one_b, 1);
  sampling::Sampler churning = named("heun");
  churning.churn = 2;
  churning.churn_min = 0.1;
  churning.churn_max = 20;
  churning.churn_noise = 1.01;
  churning.precision = 1e-6;
  same(run(churning, levels_karras, false), heun_churn_a, heun_churn_b, 9);
  sampling::Sampler much = named("heun");
  much.churn = 40;  // more than the most that is added in a step
  same(run(much, levels_linear, false), heun_much_churn_a, heun_much_churn_b, 7);
  same(run(named("dpmpp_2m"), levels_karras, false), dpmpp_2m_a, dpmpp_2m_b, 5);
  same(run(named("dpmpp_2m"), levels_linear, false), dpmpp_2m_linear_a, dpmpp_2m_linear_b, 4);
}

TEST_CASE("samplers that move in time make what the reference makes") {
  using namespace reference;
  same(run(named("euler"), levels_unit_time, true), euler_a, euler_b, 4);
  same(run(named("heun"), levels_unit_time, true), heun_in_time_a, heun_in_time_b, 7);
  sampling::Sampler whole = named("heun");
  whole.euler_final_step = false;
  same(run(whole, levels_unit_time, true), heun_in_time_whole_a, heun_in_time_whole_b, 8);
}

TEST_CASE("a sampler leaves the field that it starts from as it is") {
  const nn::Fields source = start(1);
  const at::Tensor before = source[0].clone();
  nn::move_in_time(named("euler"), reference::levels_unit_time, source, network);
  CHECK(at::equal(source[0], before));
}

TEST_CASE("a network that knows the field is followed to it") {
  const at::Tensor field = at::arange(6, at::kFloat).view({3, 2});
  const nn::Network knows = [&](const nn::Fields&, double) { return nn::Fields{field}; };
  for (const char* name : {"heun", "dpmpp_2m"}) {
    const auto levels = sampling::levels({.type = "karras", .steps = 8, .sigma_max = 100, .sigma_min = 0.02});
    const nn::Fields out = nn::denoise(named(name), levels, {at::full({3, 2}, 100.0, at::kDouble)}, knows, nn::Draw());
    CHECK((out.front() - field).abs().max().item<double>() < 1e-6);
  }
}
