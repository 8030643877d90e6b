// check_predict REFERENCE.npz OUT.npz TOLERANCE: compares the arrays `y` of both files, variable by variable, in units
// of the standard deviation of the reference's variable, and names the worst. Exit code 0 when none is above TOLERANCE.
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "common/checkpoint/archive.h"
#include "common/errors.h"
#include "tests/golden/npz.h"

namespace {

using tradewind::UserError;
using tradewind::golden::FloatArray;
using tradewind::golden::has_array;
using tradewind::golden::read_floats;
using tradewind::golden::read_names;

std::string text(const std::vector<std::int64_t>& shape) {
  std::string out = "(";
  for (const std::int64_t extent : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(extent);
  return out + ")";
}

// Largest |a - b| of column `variable` over the standard deviation of b there; infinite where one is NaN and not both.
double difference(const FloatArray& got, const FloatArray& want, std::size_t variable) {
  const std::size_t stride = static_cast<std::size_t>(want.shape.back());
  double sum = 0, squares = 0, largest = 0;
  std::size_t n = 0;
  for (std::size_t i = variable; i < want.values.size(); i += stride) {
    const double a = got.values[i], b = want.values[i];
    if (std::isnan(a) != std::isnan(b)) return INFINITY;
    if (std::isnan(b)) continue;
    sum += b;
    ++n;
    largest = std::fmax(largest, std::fabs(a - b));
  }
  if (n == 0) return 0;
  const double mean = sum / static_cast<double>(n);
  for (std::size_t i = variable; i < want.values.size(); i += stride)
    if (!std::isnan(want.values[i])) squares += (want.values[i] - mean) * (want.values[i] - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(n));
  return deviation > 0 ? largest / deviation : (largest > 0 ? INFINITY : 0);
}

int run(const std::string& reference, const std::string& output, double tolerance) {
  const auto want_file = tradewind::checkpoint::Archive::open(reference);
  const FloatArray want = read_floats(*want_file, "y");
  const FloatArray got = read_floats(*tradewind::checkpoint::Archive::open(output), "y");
  if (got.shape != want.shape) throw UserError("y has shape " + text(got.shape) + ", want " + text(want.shape), output);
  const auto variables = static_cast<std::size_t>(want.shape.back());
  std::vector<std::string> names;
  if (has_array(*want_file, "names_out")) names = read_names(*want_file, "names_out");
  names.resize(variables, "?");

  double worst = 0;
  std::size_t where = 0;
  for (std::size_t v = 0; v < variables; ++v) {
    const double d = difference(got, want, v);
    std::printf("%-16s %.2e of its standard deviation%s\n", names[v].c_str(), d, d <= tolerance ? "" : "  <-- too far");
    if (v == 0 || d > worst) worst = d, where = v;
  }
  std::printf("%zu variables, worst %s: %.2e (at most %.2e)\n", variables, names[where].c_str(), worst, tolerance);
  return worst <= tolerance ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: check_predict REFERENCE.npz OUT.npz TOLERANCE\n");
    return 2;
  }
  try {
    return run(argv[1], argv[2], std::stod(argv[3]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "check_predict: %s\n", error.what());
    return 2;
  }
}
