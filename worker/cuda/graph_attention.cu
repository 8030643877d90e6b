#include "worker/cuda/graph_attention.h"

#include "worker/cuda/graph_attention_row.h"

namespace tradewind::cuda {
namespace {

constexpr int warps_per_block = 4;

struct DeviceWarp {
  using Lanes = float;
  static __device__ __forceinline__ int lane() { return static_cast<int>(threadIdx.x % warp_size); }
  static __device__ __forceinline__ float splat(float value) { return value; }
  static __device__ __forceinline__ float zero() { return 0; }
  template <class T>
  static __device__ __forceinline__ float load(const T* p, std::int64_t count) {
    return lane() < count ? widen(p[lane()]) : 0.0F;
  }
  static __device__ __forceinline__ void store(float* p, std::int64_t count, float value) {
    if (lane() < count) p[lane()] = value;
  }
  static __device__ __forceinline__ float sum(float value) {
    for (int bit = warp_size / 2; bit > 0; bit /= 2) value += __shfl_xor_sync(0xffffffffU, value, bit);
    return value;
  }
  static __device__ __forceinline__ float at(float value, int from) { return __shfl_sync(0xffffffffU, value, from); }
  static __device__ __forceinline__ float with(float value, int which, float other) {
    return lane() == which ? other : value;
  }
  static __device__ __forceinline__ float exponential(float x) { return expf(x); }
};

// One warp for each destination and head; the heads of a destination are neighbours and share its edges' cache lines.
template <class T, int channel_parts, int attribute_parts>
__global__ void graph_attention(const kernels::GraphAttention arguments, std::int64_t rows) {
  const std::int64_t warp = static_cast<std::int64_t>(blockIdx.x) * warps_per_block + threadIdx.x / warp_size;
  if (warp >= rows * arguments.heads) return;
  GraphAttentionHead<DeviceWarp, T, channel_parts, attribute_parts>(arguments, warp / arguments.heads,
                                                                    warp % arguments.heads)
      .run();
}

}  // namespace

cudaError_t launch_graph_attention(const kernels::GraphAttention& arguments, std::int64_t rows,
                                   cudaStream_t stream) {
  const std::int64_t blocks = (rows * arguments.heads + warps_per_block - 1) / warps_per_block;
  if (blocks == 0) return cudaSuccess;
  with_instance(arguments, [&]<class T, int channel_parts, int attribute_parts>() {
    graph_attention<T, channel_parts, attribute_parts>
        <<<static_cast<unsigned>(blocks), static_cast<unsigned>(warps_per_block * warp_size), 0, stream>>>(arguments, rows);
  });
  return cudaGetLastError();
}

}  // namespace tradewind::cuda
