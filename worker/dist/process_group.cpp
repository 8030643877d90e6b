#include "worker/dist/process_group.h"

#include <ATen/ATen.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <numeric>
#include <sstream>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <utility>

#include "common/clock.h"
#include "worker/dist/door.h"
#include "worker/dist/fault_text.h"
#include "worker/dist/meeting.h"
#include "worker/dist/waits.h"

namespace tradewind::dist {
namespace {

using Group = c10d::ProcessGroupGloo;

// Calls whose waits are settled at a time: bounds what is noted of them.
constexpr std::size_t calls_to_settle = 8192;

// One numbered call, for errors and statistics.
struct Call {
  std::int64_t number;
  const char* operation;
  std::string place;
  double made;  // seconds since all ranks were connected
  Traffic traffic;
};

// LibTorch 2.15 calls it so; before it was alltoall_base.
template <class Backend>
c10::intrusive_ptr<c10d::Work> all_to_all_single(Backend& backend, at::Tensor& out, at::Tensor& in,
                                                 std::vector<std::int64_t>& out_counts,
                                                 std::vector<std::int64_t>& in_counts) {
  if constexpr (requires { backend.all_to_all_single(out, in, out_counts, in_counts); }) {
    return backend.all_to_all_single(out, in, out_counts, in_counts);
  } else {
    return backend.alltoall_base(out, in, out_counts, in_counts);
  }
}

// Gloo knows no bfloat16 and no bool; what only moves needs no dtype.
at::Tensor bytes_of(const at::Tensor& contiguous) { return contiguous.reshape({-1}).view(at::kByte); }

at::Tensor empty_rows_like(const at::Tensor& rows, std::int64_t count) {
  std::vector<std::int64_t> sizes = rows.sizes().vec();
  sizes[0] = count;
  return at::empty(sizes, rows.options());
}

std::int64_t row_bytes(const at::Tensor& rows) {
  std::int64_t bytes = rows.element_size();
  for (const std::int64_t size : rows.sizes().slice(1)) bytes *= size;
  return bytes;
}

class GlooCommunicator : public Communicator {
 public:
  GlooCommunicator(const Rendezvous& rendezvous, const c10::intrusive_ptr<c10d::Store>& store, const Meeting& meeting,
                   const DeviceLink& link)
      : rendezvous_(rendezvous), store_(store), group_(connect(meeting)), devices_(connect_devices(link)) {
    // The ranks leave this together: the zero of the clock by which late peers are told.
    Call call = begin("barrier", "start");
    timed(call, [&] { group_->barrier()->wait(); });
    shut_doors(doors_);  // all have come. Where that cannot be, strangers find a door, and nobody who hears them
    number_ = 0;
    connected_ = Clock::now();
  }

  int rank() const override { return rendezvous_.rank; }
  int size() const override { return rendezvous_.world_size; }

  at::Tensor all_to_all(const at::Tensor& rows, const std::vector<std::int64_t>& send_counts,
                        const std::vector<std::int64_t>& receive_counts, std::string_view place) override {
    return start_all_to_all(rows, send_counts, receive_counts, place)->wait();
  }

  std::unique_ptr<PendingRows> start_all_to_all(const at::Tensor& rows, const std::vector<std::int64_t>& send_counts,
                                                const std::vector<std::int64_t>& receive_counts,
                                                std::string_view place) override;

  at::Tensor all_gather(const at::Tensor& rows, const std::vector<std::int64_t>& counts,
                        std::string_view place) override;

  void all_reduce_sum(at::Tensor& values, std::string_view place) override;
  void broadcast(at::Tensor& values, int root, std::string_view place) override;

  void barrier(std::string_view place) override {
    finish(begin("barrier", place), [&] { group_->barrier()->wait(); });
  }
  void settle_waits() override;

 private:
  class Exchange;

  c10::intrusive_ptr<Group> connect(const Meeting& meeting);
  c10::intrusive_ptr<c10d::Backend> connect_devices(const DeviceLink& link) const;
  void check_peers(Group& group, const Meeting& meeting) const;
  Call begin(const char* operation, std::string_view place) {
    return {++number_, operation, std::string(place), seconds_since(connected_), Traffic{.calls = 1}};
  }
  // Runs what blocks, adds its time and counts the call.
  template <class Blocking>
  void finish(Call call, const Blocking& blocking) {
    const double blocked = seconds_since(connected_);
    timed(call, blocking);
    statistics_.add(call.place, call.traffic);
    waits_.add(call.place, call.made, blocked, call.traffic.seconds);
    if (waits_.calls() >= calls_to_settle) settle_waits();
  }
  template <class Blocking>
  void timed(Call& call, const Blocking& blocking) const {
    const Clock::time_point start = Clock::now();
    try {
      blocking();
    } catch (const std::exception& error) {
      throw fault(call, error);
    }
    call.traffic.seconds += seconds_since(start);
  }
  std::string where(const Call& call) const;
  ConnectionFault fault(const Call& call, const std::exception& error) const;
  // Sum of counts over the other ranks.
  std::int64_t foreign(const std::vector<std::int64_t>& counts) const {
    return std::accumulate(counts.begin(), counts.end(), std::int64_t{0}) - counts[static_cast<std::size_t>(rank())];
  }
  void check_rows(const Call& call, const at::Tensor& rows, std::int64_t expected,
                  std::initializer_list<const std::vector<std::int64_t>*> counts) const;

  const Rendezvous rendezvous_;
  const c10::intrusive_ptr<c10d::Store> store_;
  std::set<int> doors_;  // at which Gloo listens; before group_, which sets it
  const c10::intrusive_ptr<Group> group_;
  const c10::intrusive_ptr<c10d::Backend> devices_;  // may be null
  std::int64_t number_ = 0;
  Clock::time_point connected_;
  Waits waits_;
};

// Gloo takes whoever is the first to come with a peer's number for that peer, and asks for no more.
void GlooCommunicator::check_peers(Group& group, const Meeting& meeting) const {
  // The more ranks there are, the longer it takes until the last is connected with all.
  using std::chrono::milliseconds;
  const auto deadline = Clock::now() + std::min(rendezvous_.join_timeout, milliseconds(30'000 + 250 * size()));
  const auto bytes = static_cast<std::int64_t>(proof_bytes);
  const at::Tensor received = at::zeros({size(), bytes}, at::kByte);
  std::vector<c10::intrusive_ptr<c10d::Work>> works;
  std::string impostors;
  try {
    for (int step = 1; step < size(); ++step) {
      const int from = (rank() - step + size()) % size(), to = (rank() + step) % size();
      std::vector<at::Tensor> theirs = {received[from]}, own = {at::empty({bytes}, at::kByte)};
      std::memcpy(own[0].data_ptr(), meeting.shown[static_cast<std::size_t>(to)].data(), proof_bytes);
      works.push_back(group.recv(theirs, from, 0));
      works.push_back(group.send(own, to, 0));
    }
    for (const auto& work : works)  // 0 would be for ever
      work->wait(std::max(std::chrono::duration_cast<milliseconds>(deadline - Clock::now()), milliseconds(1)));
  } catch (const std::exception& error) {
    throw ConnectionFault(
        "rank " + std::to_string(rank()) + " cannot make sure who it is connected with: " + short_text(error),
        master_of(rendezvous_), "see which rank did not come, or who else connects to these ports");
  }
  for (int other = 0; other < size(); ++other) {
    const bool same = std::memcmp(received[other].const_data_ptr(),
                                  meeting.expected[static_cast<std::size_t>(other)].data(), proof_bytes) == 0;
    if (other != rank() && !same) impostors += (impostors.empty() ? "" : ", ") + std::to_string(other);
  }
  if (!impostors.empty())
    throw ConnectionFault(
        "somebody else has connected to rank " + std::to_string(rank()) + " in the place of rank " + impostors,
        master_of(rendezvous_), "let --interface name a network that only this job's hosts use");
}

c10::intrusive_ptr<Group> GlooCommunicator::connect(const Meeting& meeting) {
  const std::string& address = meeting.address;
  const std::set<int> others = listening_sockets();
  const auto options = Group::Options::create(rendezvous_.timeout);
  // As many calls can be under way at a time: rows in flight, and a call made meanwhile.
  options->threads = 2;
  const std::string own = "rank " + std::to_string(rank());
  const std::string through =
      rendezvous_.interfaces.empty() ? "address " + address : "interfaces " + rendezvous_.interfaces;
  const char* remedy = "set GLOO_SOCKET_IFNAME to a network interface that all hosts of the run share";
  try {
    if (rendezvous_.interfaces.empty()) {
      options->devices.push_back(Group::createDeviceForHostname(address));
    } else {
      std::istringstream names(rendezvous_.interfaces);
      for (std::string name; std::getline(names, name, ',');) {
        options->devices.push_back(Group::createDeviceForInterface(name));
      }
    }
  } catch (const std::exception& error) {
    throw EnvironmentFault(own + " cannot listen for the other ranks at " + through + ": " + short_text(error),
                           master_of(rendezvous_), remedy);
  }
  try {
    auto group = c10::make_intrusive<Group>(store_, rank(), size(), options);
    check_peers(*group, meeting);
    doors_ = listening_sockets();
    std::erase_if(doors_, [&](int door) { return others.contains(door); });
    return group;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw ConnectionFault(own + " cannot connect to the other ranks through " + through + ": " + short_text(error),
                          master_of(rendezvous_), remedy);
  }
}

c10::intrusive_ptr<c10d::Backend> GlooCommunicator::connect_devices(const DeviceLink& link) const {
  try {
    return link_devices(link, store_, rank(), size(), rendezvous_.timeout);
  } catch (const c10::DistStoreError& error) {
    throw ConnectionFault(
        "rank " + std::to_string(rank()) + " did not hear which devices the other ranks have: " + short_text(error),
        master_of(rendezvous_), "see the log of the rank that ended first");
  }
}

std::string GlooCommunicator::where(const Call& call) const {
  return "rank " + std::to_string(rank()) + " of " + std::to_string(size()) + ", '" + call.place + "', collective " +
         std::to_string(call.number) + " (" + call.operation + ")";
}

ConnectionFault GlooCommunicator::fault(const Call& call, const std::exception& error) const {
  const std::string detail = short_text(error);
  const bool timed_out = detail.find("imed out") != std::string::npos || detail.find("timeout") != std::string::npos;
  if (timed_out) {
    return ConnectionFault("the other ranks did not answer within " + seconds_text(rendezvous_.timeout) + ": " + detail,
                           where(call), "see which rank did not arrive at this collective, and what it was doing");
  }
  return ConnectionFault("lost a peer: " + detail, where(call), "see the log of the rank that ended first");
}

void GlooCommunicator::check_rows(const Call& call, const at::Tensor& rows, std::int64_t expected,
                                  std::initializer_list<const std::vector<std::int64_t>*> counts) const {
  for (const auto* one : counts) {
    if (one->size() != static_cast<std::size_t>(size())) {
      throw InternalFault("counts for " + std::to_string(one->size()) + " ranks", where(call));
    }
  }
  if (rows.dim() == 0 || rows.size(0) != expected) {
    std::ostringstream got;
    got << "rows of shape " << rows.sizes() << ", expected " << expected;
    throw InternalFault(got.str(), where(call));
  }
}

class GlooCommunicator::Exchange : public PendingRows {
 public:
  // wanted: where the received rows are to be.
  Exchange(GlooCommunicator& owner, Call call, at::Tensor received, at::Device wanted)
      : owner_(owner), call_(std::move(call)), received_(std::move(received)), wanted_(wanted) {}
  template <class Start>
  void start(const Start& start) {
    owner_.timed(call_, [&] { work_ = start(); });
  }
  at::Tensor wait() override {
    owner_.finish(std::move(call_), [&] { work_->wait(); });
    return received_.device() == wanted_ ? std::move(received_) : received_.to(wanted_);
  }

 private:
  GlooCommunicator& owner_;
  Call call_;
  at::Tensor received_;
  at::Device wanted_;
  c10::intrusive_ptr<c10d::Work> work_;
};

std::unique_ptr<PendingRows> GlooCommunicator::start_all_to_all(const at::Tensor& rows,
                                                                const std::vector<std::int64_t>& send_counts,
                                                                const std::vector<std::int64_t>& receive_counts,
                                                                std::string_view place) {
  Call call = begin("all_to_all", place);
  check_rows(call, rows, std::accumulate(send_counts.begin(), send_counts.end(), std::int64_t{0}),
             {&send_counts, &receive_counts});
  const std::int64_t bytes = row_bytes(rows);
  call.traffic.bytes_sent = foreign(send_counts) * bytes;
  call.traffic.bytes_received = foreign(receive_counts) * bytes;
  const bool direct = !rows.is_cpu() && devices_;
  const at::Tensor sent = direct ? rows : on_host(rows);
  at::Tensor received =
      empty_rows_like(sent, std::accumulate(receive_counts.begin(), receive_counts.end(), std::int64_t{0}));
  at::Tensor in = bytes_of(sent.contiguous()), out = bytes_of(received);
  // Copies: the call empties the vectors that it is given.
  std::vector<std::int64_t> in_counts = send_counts, out_counts = receive_counts;
  for (std::int64_t& count : in_counts) count *= bytes;
  for (std::int64_t& count : out_counts) count *= bytes;
  auto exchange = std::make_unique<Exchange>(*this, std::move(call), std::move(received), rows.device());
  exchange->start([&] {
    return direct ? all_to_all_single(*devices_, out, in, out_counts, in_counts)
                  : all_to_all_single(*group_, out, in, out_counts, in_counts);
  });
  return exchange;
}

at::Tensor GlooCommunicator::all_gather(const at::Tensor& rows, const std::vector<std::int64_t>& counts,
                                        std::string_view place) {
  Call call = begin("all_gather", place);
  check_rows(call, rows,
             counts.size() > static_cast<std::size_t>(rank()) ? counts[static_cast<std::size_t>(rank())] : 0,
             {&counts});
  const std::int64_t bytes = row_bytes(rows);
  call.traffic.bytes_sent = rows.size(0) * bytes * (size() - 1);
  call.traffic.bytes_received = foreign(counts) * bytes;
  const at::Tensor mine = on_host(rows);
  at::Tensor all = empty_rows_like(mine, std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  std::vector<at::Tensor> own = {bytes_of(mine.contiguous())};
  const int tag = static_cast<int>(call.number % 0x7fff'ffff);
  finish(std::move(call), [&] {
    // Straight from and into place: Gloo's own all_gather wants equal counts, and padding costs a copy of everything.
    std::vector<c10::intrusive_ptr<c10d::Work>> works;
    std::vector<std::int64_t> begins(counts.size());
    std::exclusive_scan(counts.begin(), counts.end(), begins.begin(), std::int64_t{0});
    const auto part = [&](int rank) {
      return all.narrow(0, begins[static_cast<std::size_t>(rank)], counts[static_cast<std::size_t>(rank)]);
    };
    for (int step = 1; step < size(); ++step) {
      const int from = (rank() - step + size()) % size(), to = (rank() + step) % size();
      std::vector<at::Tensor> theirs = {bytes_of(part(from))};
      if (theirs[0].numel() > 0) works.push_back(group_->recv(theirs, from, tag));
      if (own[0].numel() > 0) works.push_back(group_->send(own, to, tag));
    }
    part(rank()).copy_(mine);
    for (const auto& work : works) work->wait(rendezvous_.timeout);
  });
  return all.to(rows.device());
}

void GlooCommunicator::all_reduce_sum(at::Tensor& values, std::string_view place) {
  Call call = begin("all_reduce_sum", place);
  const at::ScalarType dtype = values.scalar_type();
  const bool half = dtype == at::kHalf || dtype == at::kBFloat16, is_bool = dtype == at::kBool;
  if (!half && !is_bool && dtype != at::kFloat && dtype != at::kDouble && dtype != at::kInt && dtype != at::kLong) {
    throw InternalFault(std::string("no sum over ranks of ") + at::toString(dtype), where(call));
  }
  std::vector<at::Tensor> sums = {on_host(values).to(half ? at::kFloat : is_bool ? at::kInt : dtype).contiguous()};
  // A ring moves all but one part of the values twice.
  const auto bytes = static_cast<std::int64_t>(sums[0].nbytes());
  call.traffic.bytes_sent = call.traffic.bytes_received = 2 * bytes * (size() - 1) / size();
  finish(std::move(call), [&] { group_->allreduce(sums)->wait(); });
  if (!sums[0].is_same(values)) values.copy_(is_bool ? sums[0].ne(0) : sums[0]);
}

void GlooCommunicator::broadcast(at::Tensor& values, int root, std::string_view place) {
  Call call = begin("broadcast", place);
  if (root < 0 || root >= size()) throw InternalFault("root " + std::to_string(root), where(call));
  const at::Tensor whole = on_host(values).contiguous();
  std::vector<at::Tensor> bytes = {bytes_of(whole)};
  const auto count = static_cast<std::int64_t>(whole.nbytes());
  if (rank() == root) {
    call.traffic.bytes_sent = count * (size() - 1);
  } else {
    call.traffic.bytes_received = count;
  }
  c10d::BroadcastOptions options;
  options.rootRank = root;
  finish(std::move(call), [&] { group_->broadcast(bytes, options)->wait(); });
  if (rank() != root && !whole.is_same(values)) values.copy_(whole);
}

void GlooCommunicator::settle_waits() {
  if (waits_.calls() == 0) return;
  Call call = begin("all_reduce_max", "report waits");
  std::vector<at::Tensor> latest = {at::tensor(waits_.made(), at::kDouble)};
  c10d::AllreduceOptions options;
  options.reduceOp = c10d::ReduceOp::MAX;
  timed(call, [&] { group_->allreduce(latest, options)->wait(); });
  waits_.settle({latest[0].const_data_ptr<double>(), waits_.calls()}, statistics_);
}

// Gloo writes to its sockets without MSG_NOSIGNAL: a peer's death must be an error, not ours too.
void ignore_broken_pipes() {
  struct sigaction action {};
  if (sigaction(SIGPIPE, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) return;
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
}

}  // namespace

std::unique_ptr<Communicator> make_process_group(const Rendezvous& rendezvous,
                                                 const c10::intrusive_ptr<c10d::Store>& store, const DeviceLink& link) {
  if (rendezvous.world_size == 1) return make_single_communicator();
  ignore_broken_pipes();
  return std::make_unique<GlooCommunicator>(rendezvous, store, meet(rendezvous, *store), link);
}

}  // namespace tradewind::dist
