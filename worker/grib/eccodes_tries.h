// Where ecCodes looks names up: shortName, paramId and the like have thousands, and a node of ecCodes' tries has room
// for 39 successors, most of which there are not. Its functions on tries, which it calls through the dynamic linker,
// are stood in for by ones on hash tables of the whole names: a tenth of the memory. Only for releases whose tries are
// known to be used through these functions alone; others keep their own. Thread-safe.
#pragma once

struct grib_context;
struct grib_trie;

namespace tradewind::grib {

// Whether the ecCodes that is loaded is such a release (2.50).
bool compact_tries();

}  // namespace tradewind::grib

// Keys are the same when they differ only in the case of letters, or where neither has a letter, a digit, _ or #.
extern "C" {
grib_trie* grib_trie_new(grib_context* context);
void grib_trie_delete(grib_trie* trie);  // and gives what it holds to free()
void grib_trie_delete_container(grib_trie* trie);
void grib_trie_clear(grib_trie* trie);
// What was there before, unless it is the same.
void* grib_trie_insert(grib_trie* trie, const char* key, void* data);
// What is there afterwards.
void* grib_trie_insert_no_replace(grib_trie* trie, const char* key, void* data);
void* grib_trie_get(grib_trie* trie, const char* key);
}
