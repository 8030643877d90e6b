// The one file that compiles Boost.Process. Its headers expect others to have included these.
#include <algorithm>
#include <boost/optional.hpp>
#include <boost/type_traits.hpp>
#include <limits>

// clang-format off: in this order
#include <boost/process/v2/src.hpp>
