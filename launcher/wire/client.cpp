#include "launcher/wire/client.h"

#include "common/exit_codes.h"
#include "launcher/wire/token.h"

namespace tradewind::launcher {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr auto pause = 100ms;
constexpr auto patience = 2s;  // for a name to be resolved, for each address to connect, and then to answer

constexpr int first_with_this_greeting = 2;
constexpr const char* stranger = "somebody listens there who does not know this job";

std::string port_text(int port) { return std::to_string(port); }

}  // namespace

Client::Client(asio::io_context& context, Look look, proto::Join join, std::chrono::steady_clock::duration wait,
               Events events)
    : context_(context),
      look_(std::move(look)),
      join_(std::move(join)),
      deadline_(std::chrono::steady_clock::now() + wait),
      wait_(wait),
      events_(std::move(events)),
      timer_(context),
      resolver_(context) {
  this->look();
}

Client::~Client() {
  if (connection_) connection_->close();
}

void Client::look() {
  if (std::chrono::steady_clock::now() >= deadline_) return give_up();
  control_ = look_.find();
  tried_ = 0;
  try_next();
}

void Client::try_next() {
  if (std::chrono::steady_clock::now() >= deadline_) return give_up();
  if (!control_ || tried_ >= control_->addresses.size()) {
    timer_.expires_after(pause);
    timer_.async_wait([this](const error_code& cancelled) {
      if (!cancelled) look();
    });
    return;
  }
  timer_.expires_after(patience);
  timer_.async_wait([this](const error_code& cancelled) {
    if (!cancelled) resolver_.cancel();
  });
  resolver_.async_resolve(control_->addresses[tried_], port_text(control_->port),
                          [this](const error_code& error, const tcp::resolver::results_type& found) {
                            timer_.cancel();
                            if (error == asio::error::operation_aborted)
                              return next_after_failure("its name is not resolved in time");
                            if (error) return next_after_failure(error.message());
                            dial(Dial::Endpoints(found.begin(), found.end()));
                          });
}

void Client::dial(Dial::Endpoints endpoints) {
  dial_ = std::make_unique<Dial>(context_, std::move(endpoints), patience,
                                 Dial::Events{[this](tcp::socket socket) { connected(std::move(socket)); },
                                              [this](const std::string& how) { next_after_failure(how); }});
}

void Client::next_after_failure(const std::string& how) {
  last_failure_ = control_->addresses[tried_] + ":" + port_text(control_->port) + ": " + how;
  ++tried_;
  try_next();
}

void Client::connected(tcp::socket socket) {
  timer_.expires_after(patience);
  timer_.async_wait([this](const error_code& cancelled) {
    if (cancelled || joined_ || !connection_) return;
    connection_->close();
    connection_.reset();
    next_after_failure(stranger);
  });
  nonces_ = {};
  trusted_ = false;
  connection_ = std::make_shared<Connection>(std::move(socket), proto::max_greeting_bytes);
  connection_->start([this](const std::string& line) { answered(proto::decode_control(line)); },
                     [this](const std::string& how) {
                       connection_.reset();
                       if (joined_) return events_.lost(how);
                       if (trusted_ && nonces_.version != proto::control_version) return another_version();
                       next_after_failure(stranger);
                     });
}

// Nothing is believed, and nothing but a proof is told, before the other end has shown that it knows the token.
void Client::challenged(const proto::Challenge& challenge) {
  if (!nonces_.agent.empty() || challenge.version < first_with_this_greeting || !is_nonce(challenge.nonce))
    throw proto::ProtocolError("no challenge");
  nonces_ = {.controller = challenge.nonce, .agent = make_nonce(), .version = challenge.version};
  connection_->send(proto::encode_control(
      proto::Prove{.nonce = nonces_.agent, .proof = proof_of(End::agent, control_->token, nonces_)}));
}

void Client::proven(const proto::Proven& proven) {
  if (nonces_.agent.empty() || control_->token.empty() ||
      !same_token(proven.proof, proof_of(End::controller, control_->token, nonces_)))
    throw proto::ProtocolError("no proof");
  trusted_ = true;
  connection_->seal(Seal(End::agent, control_->token, nonces_), Seal(End::controller, control_->token, nonces_),
                    proto::max_line_bytes);
  connection_->send(proto::encode_control(join_));
}

void Client::answered(const proto::ControlMessage& message) {
  if (joined_) return events_.heard(message);
  if (!trusted_) {
    if (const auto* challenge = std::get_if<proto::Challenge>(&message)) return challenged(*challenge);
    if (const auto* shown = std::get_if<proto::Proven>(&message)) return proven(*shown);
    throw proto::ProtocolError("no greeting");
  }
  if (const auto* refused = std::get_if<proto::Refused>(&message)) {
    timer_.cancel();
    return events_.failed(*refused);
  }
  if (!std::holds_alternative<proto::Welcome>(message)) throw proto::ProtocolError("no welcome");
  joined_ = true;
  timer_.cancel();
  events_.joined();
}

// Only one that knows the token is believed to be the run's own, and ends the search.
void Client::another_version() {
  timer_.cancel();
  events_.failed({.what = "the launcher of rank 0 speaks version " + std::to_string(nonces_.version) +
                          " of the control protocol, that of rank " + std::to_string(join_.ranks.front()) + " " +
                          std::to_string(proto::control_version),
                  .where = join_.host,
                  .remedy = "use the same build of tradewind on every host"});
}

void Client::give_up() {
  const auto seconds = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(wait_).count());
  const std::string lack = control_ ? std::string() : look_.lack();
  const std::string& why = lack.empty() ? last_failure_ : lack;
  events_.failed(
      {.what = "rank " + std::to_string(join_.ranks.front()) + " did not find the launcher of rank 0 within " +
               seconds + " s" + (why.empty() ? "" : ": " + why),
       .where = join_.host,
       .remedy = lack.empty() ? "see whether rank 0 started, and whether this host reaches that address"
                              : "see whether rank 0 started; the run folder (--run-dir) must be on a file system that "
                                "all hosts share, else set TRADEWIND_CONTROL and TRADEWIND_TOKEN for every rank; under "
                                "torchrun, TRADEWIND_CONTROL=torchrun will do",
       .exit_code = static_cast<int>(ExitCode::ranks_missing)});
}

void Client::send(const proto::ControlMessage& message) {
  if (!connection_ || !joined_) return;
  const auto* wrote = std::get_if<proto::Wrote>(&message);
  if (wrote != nullptr && dropped_ > 0) {
    const proto::Wrote gap{wrote->rank, proto::Stream::error,
                           "(" + std::to_string(dropped_) + " lines came too fast to be shown; the log has them)"};
    if (connection_->send(proto::encode_control(gap), true)) dropped_ = 0;
  }
  if (connection_->send(proto::encode_control(message), wrote != nullptr)) return;
  if (wrote != nullptr) {
    ++dropped_;
    return;
  }
  connection_->close();
  connection_.reset();
  events_.lost("it does not read what it is told");
}

std::string Client::controller() const {
  if (!control_ || control_->addresses.empty()) return {};
  return control_->addresses[std::min(tried_, control_->addresses.size() - 1)] + ":" + port_text(control_->port);
}

}  // namespace tradewind::launcher
