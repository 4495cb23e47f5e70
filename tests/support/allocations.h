// Counts what the test program allocates with `new`.
#pragma once

#include <cstdint>

namespace limber::test {

// So far, by all threads; -1 under a sanitizer, whose own operators must stay.
int64_t allocations();

}  // namespace limber::test
