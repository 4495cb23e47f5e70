#include "kernels/cuda/emulator/fibre.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

// Stores the registers that a call keeps on the stack, leaves the stack pointer in *from and goes
// on with what lies on the stack `to`.
extern "C" void limber_fibre_switch(void** from, void* to);

#if defined(__x86_64__)
asm(R"(
.text
.p2align 4
.type limber_fibre_switch, @function
.globl limber_fibre_switch
.hidden limber_fibre_switch
limber_fibre_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size limber_fibre_switch, . - limber_fibre_switch
.hidden limber_fibre_first
.globl limber_fibre_first
limber_fibre_first:
  movq %r12, %rdi
  callq *%rbx
  ud2
)");
#elif defined(__aarch64__)
asm(R"(
.text
.p2align 4
.type limber_fibre_switch, %function
.globl limber_fibre_switch
.hidden limber_fibre_switch
limber_fibre_switch:
  sub sp, sp, #160
  stp x19, x20, [sp]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size limber_fibre_switch, . - limber_fibre_switch
.hidden limber_fibre_first
.globl limber_fibre_first
limber_fibre_first:
  mov x0, x20
  blr x19
  brk #1
)");
#else
#error "the emulator switches stacks on x86-64 and aarch64 only"
#endif

// Where a new fibre begins: calls one saved register with another as its argument.
extern "C" void limber_fibre_first();

namespace limber::emulator {
namespace {

constexpr size_t kStack = 256 * 1024, kGuard = 4096;

#if defined(__SANITIZE_ADDRESS__)
void before_switch(void** save, const void* bottom, size_t bytes) {
  __sanitizer_start_switch_fiber(save, bottom, bytes);
}
void after_switch(void* saved, const void** bottom, size_t* bytes) {
  __sanitizer_finish_switch_fiber(saved, bottom, bytes);
}
#else
void before_switch(void**, const void*, size_t) {}
void after_switch(void*, const void**, size_t*) {}
#endif

}  // namespace

void fibre_start(void* self) { Fibre::start(static_cast<Fibre*>(self)); }

void Fibre::start(Fibre* self) {
  after_switch(nullptr, &self->outside_bottom_, &self->outside_bytes_);
  self->entry_(self->argument_);
}

Fibre::Fibre(void (*entry)(void*), void* argument) : entry_(entry), argument_(argument) {
  void* mapped = mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  mprotect(mapped, kGuard, PROT_NONE);
  stack_ = static_cast<std::byte*>(mapped);
  // The frame that the first switch to this fibre takes off.
  auto** top = reinterpret_cast<void**>(stack_ + kStack);
#if defined(__x86_64__)
  *--top = nullptr;  // nobody's frame: two words keep the stack aligned
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(&limber_fibre_first);  // returned to
  *--top = nullptr;                                       // rbp
  *--top = reinterpret_cast<void*>(&fibre_start);         // rbx
  *--top = this;                                          // r12
  for (int i = 0; i < 3; ++i) *--top = nullptr;           // r13, r14, r15
#else
  top -= 20;
  for (int i = 0; i < 20; ++i) top[i] = nullptr;
  top[0] = reinterpret_cast<void*>(&fibre_start);          // x19
  top[1] = this;                                           // x20
  top[11] = reinterpret_cast<void*>(&limber_fibre_first);  // x30, returned to
#endif
  own_ = top;
}

Fibre::~Fibre() { munmap(stack_, kStack); }

void Fibre::enter() {
  before_switch(&outside_fake_, stack_, kStack);
  limber_fibre_switch(&outside_, own_);
  after_switch(outside_fake_, nullptr, nullptr);
}

void Fibre::leave() {
  before_switch(&own_fake_, outside_bottom_, outside_bytes_);
  limber_fibre_switch(&own_, outside_);
  after_switch(own_fake_, &outside_bottom_, &outside_bytes_);
}

}  // namespace limber::emulator
