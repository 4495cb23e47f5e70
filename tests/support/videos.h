// Whether this build can read and write videos; tests of them are skipped where it cannot.
#pragma once

#include "data/video.h"
#include "tensor/error.h"

namespace limber::test {

inline bool can_do_videos() {
  try {
    VideoWriter("any.mp4", 25);
    return true;
  } catch (const InputError&) {
    return false;
  }
}

}  // namespace limber::test
