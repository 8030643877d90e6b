// The bounds that layers and the memory estimate share.
#include "common/checkpoint/layer_limits.h"

#include <doctest/doctest.h>

using namespace tradewind::checkpoint::limits;

TEST_CASE("a chunk stays within 2 MiB, in blocks of queries, but never below what products need") {
  CHECK(chunk_rows(512, 1 << 20) == 1008);  // 1024 rows of 512 floats are 2 MiB; 21 blocks of 48 are below
  CHECK(chunk_rows(4, 1 << 20) == chunk_most);
  CHECK(chunk_rows(1 << 20, 1 << 20) == chunk_least);
  CHECK(chunk_rows(512, 100) == 100);
  CHECK(chunk_rows(512, 0) == 1);
  CHECK(chunk_rows(0, 10000) == chunk_most);
  CHECK(device_chunk_rows(512, 1 << 20) == 131072);
}

TEST_CASE("threads share rows by at least four chunks each") {
  CHECK(shared_chunk(10000, 1008, 1) == 1008);
  CHECK(shared_chunk(10000, 1008, 2) == 1008);
  CHECK(shared_chunk(2000, 1008, 2) == 288);  // 250 and more
  CHECK(shared_chunk(100, 1008, 8) == chunk_least);
}

TEST_CASE("a piece is a sixth of all sources, within 8 and 64 MiB") {
  CHECK(sources_per_piece(100, 1024) == 8192);        // all of few
  CHECK(sources_per_piece(120000, 1024) == 20000);    // a sixth
  CHECK(sources_per_piece(10000000, 1024) == 65536);  // at most
  CHECK(sources_per_piece(10, std::int64_t{1} << 30) == 1);
}
