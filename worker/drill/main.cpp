// The worker of `tradewind drill`: a worker in which one thing goes wrong.
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "common/errors.h"
#include "worker/drill/faults.h"
#include "worker/serve.h"

int main(int argc, char** argv) {
  using namespace tradewind;
  try {
    const Environment environment = Environment::from_process(environ);
    const drill::Fault fault = drill::fault_from(environment);
    const int code = worker::serve(argc, argv, environment, [&fault](std::unique_ptr<dist::Communicator> inner) {
      return drill::with_fault(std::move(inner), fault);
    });
    std::fflush(nullptr);
    ::_exit(code);
  } catch (const Error& error) {
    std::cerr << "error: " << error.what() << '\n';
    return static_cast<int>(error.exit_code());
  }
}
