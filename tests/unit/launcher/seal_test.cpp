#include "launcher/wire/seal.h"

#include <doctest/doctest.h>

#include "common/sha256.h"
#include "proto/lines.h"

using namespace tradewind;
using namespace tradewind::launcher;

TEST_CASE("SHA-256 of FIPS 180-4's examples") {
  CHECK(hex_of(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex_of(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex_of(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hex_of(sha256(std::string(1'000'000, 'a'))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("HMAC-SHA-256 of RFC 4231's examples") {
  CHECK(hex_of(hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hex_of(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex_of(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("a proof is that of one end, one token and one connection") {
  const Nonces nonces{.controller = make_nonce(), .agent = make_nonce()};
  CHECK(is_nonce(nonces.agent));
  CHECK_FALSE(is_nonce(nonces.agent.substr(1)));
  CHECK_FALSE(is_nonce(std::string(64, 'G')));
  const std::string proof = proof_of(End::agent, "token", nonces);
  CHECK(proof.size() == 64);
  CHECK(proof == proof_of(End::agent, "token", nonces));
  CHECK(proof != proof_of(End::controller, "token", nonces));
  CHECK(proof != proof_of(End::agent, "tokem", nonces));
  CHECK(proof != proof_of(End::agent, "token", {.controller = make_nonce(), .agent = nonces.agent}));
  CHECK(proof != proof_of(End::agent, "token", {.controller = nonces.agent, .agent = nonces.controller}));
}

TEST_CASE("only the next line of the sender opens") {
  const Nonces nonces{.controller = make_nonce(), .agent = make_nonce()};
  const auto sender = [&] { return Seal(End::agent, "token", nonces); };
  const auto opens = [&](Seal reader, const std::string& line) {
    try {
      return std::string(reader.open(line));
    } catch (const proto::ProtocolError&) {
      return std::string("refused");
    }
  };
  Seal seal = sender();
  const std::string first = seal.seal("{\"a\":1}"), second = seal.seal("{\"a\":1}");
  CHECK(first != second);
  CHECK(first.size() == 7 + Seal::bytes);
  CHECK(opens(sender(), first) == "{\"a\":1}");
  CHECK(opens(sender(), second) == "refused");
  Seal reader = sender();
  CHECK(reader.open(first) == "{\"a\":1}");
  CHECK(opens(reader, first) == "refused");
  CHECK(reader.open(second) == "{\"a\":1}");
  CHECK(opens(Seal(End::controller, "token", nonces), first) == "refused");
  CHECK(opens(Seal(End::agent, "other", nonces), first) == "refused");
  for (std::size_t i = 0; i < first.size(); ++i) {
    std::string changed = first;
    changed[i] ^= 1;
    CHECK(opens(sender(), changed) == "refused");
  }
  for (const std::string& line : {std::string(), std::string("{}"), first.substr(0, 32), std::string(33, ' ')})
    CHECK(opens(sender(), line) == "refused");
}
