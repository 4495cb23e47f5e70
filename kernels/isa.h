// The instruction sets that kernels are compiled for: which of them this target has is decided
// here, in cmake/limber_library.cmake (the compiler's flags) and in cpu_features.cpp (what the
// processor at hand can run), and nowhere else.
#pragma once

#include "kernels/types.h"

// LIMBER_EACH_ISA(X, parts...) is X(set, parts...) for every set of the target, the plain one
// first, the widest last. `base` is what every processor of the target has; it runs the plain form
// of each kernel.
#if defined(__x86_64__)
#define LIMBER_EACH_ISA(X, ...) X(base, __VA_ARGS__) X(avx2, __VA_ARGS__) X(avx512, __VA_ARGS__)
#elif defined(__aarch64__)
#define LIMBER_EACH_ISA(X, ...) X(base, __VA_ARGS__) X(neon, __VA_ARGS__)
#else
#define LIMBER_EACH_ISA(X, ...) X(base, __VA_ARGS__)
#endif

namespace limber::kernels {

#define LIMBER_ENUMERATOR(isa, ...) isa,
enum class Isa : uint8_t { LIMBER_EACH_ISA(LIMBER_ENUMERATOR, ) };
#undef LIMBER_ENUMERATOR

#define LIMBER_QUALIFIED(isa, ...) Isa::isa,
inline constexpr Isa kIsas[] = {LIMBER_EACH_ISA(LIMBER_QUALIFIED, )};
#undef LIMBER_QUALIFIED

}  // namespace limber::kernels
