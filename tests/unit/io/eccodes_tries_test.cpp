#include "worker/grib/eccodes_tries.h"

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>

using tradewind::grib::compact_tries;

namespace {

using Trie = std::unique_ptr<grib_trie, void (*)(grib_trie*)>;

}  // namespace

TEST_CASE("the pinned ecCodes looks names up in our tables") {
  CHECK(compact_tries());
  CHECK(::dlsym(RTLD_DEFAULT, "grib_trie_get") == reinterpret_cast<void*>(&grib_trie_get));
  CHECK(::dlsym(RTLD_DEFAULT, "grib_trie_insert") == reinterpret_cast<void*>(&grib_trie_insert));
}

TEST_CASE("tables do what ecCodes' tries do") {
  const Trie trie(grib_trie_new(nullptr), &grib_trie_delete_container);
  int first = 0, second = 0;
  CHECK(grib_trie_get(trie.get(), "2t") == nullptr);
  CHECK(grib_trie_insert(trie.get(), "2t", &first) == nullptr);
  CHECK(grib_trie_get(trie.get(), "2t") == &first);
  CHECK(grib_trie_get(trie.get(), "2T") == &first);
  CHECK(grib_trie_get(trie.get(), "2") == nullptr);
  CHECK(grib_trie_get(trie.get(), "2t_") == nullptr);
  CHECK(grib_trie_insert(trie.get(), "2t", &first) == nullptr);
  CHECK(grib_trie_insert(trie.get(), "2T", &second) == &first);
  CHECK(grib_trie_get(trie.get(), "2t") == &second);
  CHECK(grib_trie_insert_no_replace(trie.get(), "2t", &first) == &second);
  CHECK(grib_trie_insert_no_replace(trie.get(), "a/b#c_d", &first) == &first);
  CHECK(grib_trie_get(trie.get(), "A-B#C_D") == &first);
  CHECK(grib_trie_get(trie.get(), "a/b/c_d") == nullptr);
  grib_trie_clear(trie.get());
  CHECK(grib_trie_get(trie.get(), "2t") == nullptr);
  CHECK(grib_trie_get(nullptr, "2t") == nullptr);
}

TEST_CASE("a deleted table frees what it holds") {  // the sanitizers see to it
  grib_trie* trie = grib_trie_new(nullptr);
  grib_trie_insert(trie, "a", std::malloc(8));
  grib_trie_insert(trie, "ab", std::malloc(8));
  grib_trie_delete(trie);
  grib_trie_delete(nullptr);
}
