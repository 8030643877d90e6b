#include "worker/grib/eccodes_tries.h"

#include <dlfcn.h>
#include <eccodes.h>

#include <cstdlib>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace {

// Letters count the same in either case; of other characters only these are told apart.
std::string folded(const char* key) {
  std::string text(key);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
    else if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '#'))
      c = ' ';
  }
  return text;
}

std::mutex& guard() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

struct grib_trie {
  std::unordered_map<std::string, void*> values;
};

namespace tradewind::grib {

bool compact_tries() {
  static const bool known = codes_get_api_version() / 100 == 250;
  return known;
}

}  // namespace tradewind::grib

using tradewind::grib::compact_tries;

namespace {

// ecCodes' own function.
template <class Function>
Function* original(const char* name) {
  void* found = ::dlsym(RTLD_NEXT, name);
  if (found == nullptr) std::abort();
  return reinterpret_cast<Function*>(found);
}

}  // namespace

extern "C" {

grib_trie* grib_trie_new(grib_context* context) {
  if (!compact_tries()) return original<grib_trie*(grib_context*)>("grib_trie_new")(context);
  return new grib_trie;
}

void grib_trie_delete(grib_trie* trie) {
  if (!compact_tries()) return original<void(grib_trie*)>("grib_trie_delete")(trie);
  if (trie == nullptr) return;
  for (const auto& [key, value] : trie->values)
    if (!key.empty()) std::free(value);
  delete trie;
}

void grib_trie_delete_container(grib_trie* trie) {
  if (!compact_tries()) return original<void(grib_trie*)>("grib_trie_delete_container")(trie);
  delete trie;
}

void grib_trie_clear(grib_trie* trie) {
  if (!compact_tries()) return original<void(grib_trie*)>("grib_trie_clear")(trie);
  if (trie != nullptr) trie->values.clear();
}

void* grib_trie_insert(grib_trie* trie, const char* key, void* data) {
  if (!compact_tries()) return original<void*(grib_trie*, const char*, void*)>("grib_trie_insert")(trie, key, data);
  const std::lock_guard lock(guard());
  void*& value = trie->values[folded(key)];
  void* const old = std::exchange(value, data);
  return old == data ? nullptr : old;
}

void* grib_trie_insert_no_replace(grib_trie* trie, const char* key, void* data) {
  if (!compact_tries())
    return original<void*(grib_trie*, const char*, void*)>("grib_trie_insert_no_replace")(trie, key, data);
  const std::lock_guard lock(guard());
  void*& value = trie->values[folded(key)];
  if (value == nullptr) value = data;
  return value;
}

void* grib_trie_get(grib_trie* trie, const char* key) {
  if (!compact_tries()) return original<void*(grib_trie*, const char*)>("grib_trie_get")(trie, key);
  if (trie == nullptr) return nullptr;
  const std::lock_guard lock(guard());
  const auto found = trie->values.find(folded(key));
  return found == trie->values.end() ? nullptr : found->second;
}
}
