#include "worker/dist/transpose.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "tests/unit/dist/ranks.h"

namespace {

using tradewind::dist::Communicator;
using tradewind::dist::FieldLayout;
using tradewind::dist::fields_to_owners;
using tradewind::dist::fields_to_rows;
using tradewind::testing::run_ranks;

using Variables = std::vector<std::int64_t>;

constexpr std::int64_t kVariables = 11;

// Value of a variable in a row: exact in float32 and different everywhere.
at::Tensor field(std::int64_t variable, std::int64_t rows) {
  return at::arange(rows, at::kFloat).add(static_cast<double>(1000 * variable));
}

at::Tensor fields(const Variables& variables, std::int64_t rows) {
  std::vector<at::Tensor> all;
  for (const std::int64_t variable : variables) all.push_back(field(variable, rows));
  return at::stack(all);
}

// Uneven: rank r has (r * 7 + 5) % 11 rows, among them none; one rank (2 of more than 2) owns no variable.
FieldLayout layout_for(int ranks, std::int64_t max_bytes) {
  FieldLayout layout;
  for (int rank = 0; rank < ranks; ++rank) layout.row_counts.push_back((rank * 7 + 5) % 11);
  for (std::int64_t variable = 0; variable < kVariables; ++variable) {
    const int owner = static_cast<int>((variable * variable + 3) % ranks);
    layout.owners.push_back(owner == 2 ? 0 : owner);
  }
  layout.max_bytes = max_bytes;
  return layout;
}

struct Mine {
  std::int64_t begin, count, all;
};

Mine rows_of(const FieldLayout& layout, int rank) {
  const auto first = layout.row_counts.begin();
  return {std::accumulate(first, first + rank, std::int64_t{0}), layout.row_counts[static_cast<std::size_t>(rank)],
          std::accumulate(first, layout.row_counts.end(), std::int64_t{0})};
}

at::Tensor shard(const FieldLayout& layout, int rank) {
  const Mine mine = rows_of(layout, rank);
  Variables variables(kVariables);
  std::iota(variables.begin(), variables.end(), 0);
  return fields(variables, mine.all).narrow(1, mine.begin, mine.count);
}

Variables owned(const FieldLayout& layout, int rank) {
  Variables variables;
  for (std::size_t i = 0; i < layout.owners.size(); ++i) {
    if (layout.owners[i] == rank) variables.push_back(static_cast<std::int64_t>(i));
  }
  return variables;
}

// Passes calls on and remembers the largest exchange.
class Watched : public Communicator {
 public:
  explicit Watched(Communicator& real) : real_(real) {}
  int rank() const override { return real_.rank(); }
  int size() const override { return real_.size(); }
  at::Tensor all_to_all(const at::Tensor& rows, const std::vector<std::int64_t>& send_counts,
                        const std::vector<std::int64_t>& receive_counts, std::string_view place) override {
    at::Tensor received = real_.all_to_all(rows, send_counts, receive_counts, place);
    ++calls;
    largest =
        std::max({largest, static_cast<std::int64_t>(rows.nbytes()), static_cast<std::int64_t>(received.nbytes())});
    return received;
  }
  at::Tensor all_gather(const at::Tensor&, const std::vector<std::int64_t>&, std::string_view) override {
    throw tradewind::InternalFault("not expected");
  }
  void all_reduce_sum(at::Tensor&, std::string_view) override { throw tradewind::InternalFault("not expected"); }
  void broadcast(at::Tensor&, int, std::string_view) override { throw tradewind::InternalFault("not expected"); }
  void barrier(std::string_view) override { throw tradewind::InternalFault("not expected"); }

  std::int64_t largest = 0, calls = 0;

 private:
  Communicator& real_;
};

}  // namespace

TEST_CASE("whole fields reach their owners, and rows come back, in pieces of any size") {
  for (const int ranks : {1, 2, 3, 4, 7}) {
    for (const std::int64_t max_bytes : {std::int64_t{1}, std::int64_t{64}, std::int64_t{300}, std::int64_t{1} << 20}) {
      CAPTURE(ranks);
      CAPTURE(max_bytes);
      run_ranks(ranks, [&](Communicator& real) {
        Watched communicator(real);
        const FieldLayout layout = layout_for(ranks, max_bytes);
        const Mine mine = rows_of(layout, communicator.rank());
        const at::Tensor rows = shard(layout, communicator.rank());
        Variables delivered;
        // Rows first in memory, as the model leaves them.
        fields_to_owners(
            communicator, rows.t().contiguous().t(), layout,
            [&](const Variables& variables, const at::Tensor& whole) {
              delivered.insert(delivered.end(), variables.begin(), variables.end());
              CHECK(at::equal(whole, fields(variables, mine.all)));
            },
            "output/fields");
        CHECK(delivered == owned(layout, communicator.rank()));

        Variables asked;
        const at::Tensor back = fields_to_rows(
            communicator,
            [&](const Variables& variables) {
              asked.insert(asked.end(), variables.begin(), variables.end());
              return fields(variables, mine.all).t().contiguous().t();
            },
            at::kFloat, layout, "input/rows");
        CHECK(at::equal(back, rows));
        CHECK(asked == owned(layout, communicator.rank()));
        // A single row of every rank cannot be split.
        CHECK(communicator.largest <= std::max(max_bytes, std::int64_t{4} * ranks));
        if (max_bytes == 1 << 20) CHECK(communicator.calls == 2);
      });
    }
  }
}

TEST_CASE("what a transposition sends is what belongs elsewhere, once") {
  run_ranks(4, [](Communicator& communicator) {
    const FieldLayout layout = layout_for(4, 100);
    const Mine mine = rows_of(layout, communicator.rank());
    fields_to_owners(
        communicator, shard(layout, communicator.rank()), layout, [](const Variables&, const at::Tensor&) {},
        "output/fields");
    const auto own = static_cast<std::int64_t>(owned(layout, communicator.rank()).size());
    const auto& traffic = communicator.statistics().by_place().at("output/fields");
    CHECK(traffic.bytes_sent == (kVariables - own) * mine.count * 4);
    CHECK(traffic.bytes_received == own * (mine.all - mine.count) * 4);
  });
}

TEST_CASE("every dtype is transposed, no variable and no row included") {
  run_ranks(3, [](Communicator& communicator) {
    for (const at::ScalarType dtype : {at::kDouble, at::kBFloat16, at::kLong, at::kBool}) {
      const FieldLayout layout{{2, 0}, {2, 0, 1}, 1};
      const auto whole = [&](const Variables& variables) {
        REQUIRE(variables.size() == 1);
        return (variables[0] == 0 ? at::tensor({1, 0, 1}) : at::tensor({0, 0, 1})).to(dtype).unsqueeze(0);
      };
      const at::Tensor rows = fields_to_rows(communicator, whole, dtype, layout, "test");
      CHECK(rows.size(1) == layout.row_counts[static_cast<std::size_t>(communicator.rank())]);
      int seen = 0;
      fields_to_owners(
          communicator, rows, layout,
          [&](const Variables& variables, const at::Tensor& got) {
            ++seen;
            CHECK(at::equal(got, whole(variables)));
          },
          "test");
      CHECK(seen == (communicator.rank() == 1 ? 0 : 1));
    }
    const FieldLayout no_variables{{}, {2, 0, 1}, 64}, no_rows{{0, 1}, {0, 0, 0}, 64};
    const auto never = [](const Variables&) -> at::Tensor { throw tradewind::InternalFault("not expected"); };
    CHECK(fields_to_rows(communicator, never, at::kFloat, no_variables, "test").size(0) == 0);
    const auto empty = [](const Variables& variables) {
      return at::empty({static_cast<std::int64_t>(variables.size()), 0});
    };
    CHECK(fields_to_rows(communicator, empty, at::kFloat, no_rows, "test").numel() == 0);
  });
}

TEST_CASE("a layout or a field that does not fit is refused") {
  const auto communicator = tradewind::dist::make_single_communicator();
  const auto ignore = [](const Variables&, const at::Tensor&) {};
  CHECK_THROWS_AS(fields_to_owners(*communicator, at::zeros({2, 3}), {{0, 1}, {3}}, ignore, "test"),
                  tradewind::InternalFault);
  CHECK_THROWS_AS(fields_to_owners(*communicator, at::zeros({2, 3}), {{0, 0}, {2}}, ignore, "test"),
                  tradewind::InternalFault);
  CHECK_THROWS_AS(fields_to_owners(*communicator, at::zeros({2, 3}), {{0, 0}, {2, 1}}, ignore, "test"),
                  tradewind::InternalFault);
  const auto short_field = [](const Variables&) { return at::zeros({1, 2}); };
  CHECK_THROWS_WITH_AS(fields_to_rows(*communicator, short_field, at::kFloat, {{0}, {3}}, "test"),
                       doctest::Contains("variables from 0 on: not 1 fields of 3 values"), tradewind::InternalFault);
}
