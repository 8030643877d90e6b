#include <unistd.h>

#include <cstdio>

#include "worker/serve.h"

int main(int argc, char** argv) {
  const int code = tradewind::worker::serve(argc, argv, tradewind::Environment::from_process(environ));
  std::fflush(nullptr);
  ::_exit(code);  // everything is closed: spares the libraries' own farewells
}
