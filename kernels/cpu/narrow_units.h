// The innermost loops of narrow products: a block of positions times 32 filters, on one of the
// matrix units. Both read the same operands in quads of bytes, two numbers of bf16 or four of int8:
// a position's along a run of memory, the weights' as panels (quads, 32 filters).
#pragma once

#include "kernels/cpu/simd.h"
#include "kernels/narrow.h"

namespace limber::kernels::cpu::LIMBER_ISA {

constexpr int64_t kFilters = 32;   // of a panel
constexpr int64_t kQuads = 16;     // a tile's depth: panels are filled up with zeros to it
constexpr int64_t kMostRows = 32;  // of a block, on any unit

// Numbers that every position has at the same distance from its first one.
struct Run {
  int64_t offset;  // bytes
  int64_t quads;   // what lies beyond the last number meets zeros
  LIMBER_INLINE int64_t padded() const { return (quads + kQuads - 1) / kQuads * kQuads; }
};

struct NarrowBlock {
  const uint8_t* x;  // the first position
  int64_t step;      // bytes from one position to the next
  int64_t rows;      // positions; those up to the block's end are readable memory
  const Run* runs;
  int64_t run_count;
  const uint8_t* panel;
  void* sums;  // (rows, 32) f32 or i32
};

// What a thread does with a unit.
struct Unit {
  int64_t rows;     // of a block
  void (*begin)();  // before its first block, and after its last
  void (*end)();
  void (*multiply)(const NarrowBlock&);  // sums = x times panel
};
Unit unit_of(const Narrow& n);

}  // namespace limber::kernels::cpu::LIMBER_ISA
