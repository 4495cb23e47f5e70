// What the two directions of resizing share.
#pragma once

#include "kernels/cuda/launch.cuh"
#include "kernels/resize.h"

namespace limber::kernels::cuda {

template <int K>
struct TapCount {};

template <class Body>
void by_taps(Filter filter, const Body& body) {
  switch (filter) {
    case Filter::nearest:
      return body(TapCount<1>{});
    case Filter::linear:
      return body(TapCount<2>{});
    case Filter::cubic:
      return body(TapCount<4>{});
  }
}

}  // namespace limber::kernels::cuda
