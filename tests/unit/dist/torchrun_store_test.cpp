// The launcher's client of torchrun's store, against the server that torch itself has.
#include "launcher/wire/torchrun_store.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "common/errors.h"

using namespace tradewind;
using launcher::TorchrunStore;

namespace {

c10::intrusive_ptr<c10d::TCPStore> serve(bool by_libuv) {
  c10d::TCPStoreOptions options;
  options.port = 0;
  options.isServer = true;
  options.waitWorkers = false;
  options.timeout = std::chrono::seconds(10);
  options.useLibUV = by_libuv;
  return c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options);
}

}  // namespace

TEST_CASE("what one launcher puts into torchrun's store another finds there") {
  for (const bool by_libuv : {true, false}) {
    CAPTURE(by_libuv);
    const auto server = serve(by_libuv);
    const TorchrunStore one("127.0.0.1", server->getPort()), other("localhost", server->getPort());
    std::string why;
    CHECK_FALSE(other.get("/tradewind/run/control", why));
    CHECK(why == "it holds nothing of this run yet");
    for (const std::string& value : {std::string("{\"port\": 7}"), std::string(), std::string(60000, 'x')}) {
      one.set("/tradewind/run/control", value);
      CHECK(other.get("/tradewind/run/control", why) == value);
      CHECK(why.empty());
    }
    // torch's own client sees it under the same name, so that no other key is touched.
    const auto seen = server->get("tradewind/run/control");
    CHECK(seen.size() == 60000);
  }
}

TEST_CASE("a value that no launcher wrote is not read without bound") {
  const auto server = serve(true);
  server->set("tradewind/run/control", std::vector<std::uint8_t>(std::size_t{1} << 20, 'y'));
  CHECK(server->get("tradewind/run/control").size() == std::size_t{1} << 20);  // set() does not wait
  std::string why;
  CHECK_FALSE(TorchrunStore("127.0.0.1", server->getPort()).get("/tradewind/run/control", why));
  CHECK(why == "it does not answer as a store does");
}

TEST_CASE("no store: a reason, or an error with a remedy") {
  int port = 0;
  {
    const auto gone = serve(true);
    port = gone->getPort();
  }
  std::string why;
  CHECK_FALSE(TorchrunStore("127.0.0.1", port).get("/tradewind/run/control", why));
  CHECK(why == "Connection refused");
  CHECK_THROWS_AS(TorchrunStore("127.0.0.1", port).set("/tradewind/run/control", "x"), EnvironmentFault);
}
