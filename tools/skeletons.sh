#!/usr/bin/env bash
# tools/skeletons.sh new-op|new-model NAME: writes the files of a new operation or backbone, ready
# to build and to be filled in, and enters it in the tables. `./dev new-op`, `./dev new-model`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
kind=$1 name=$2
[[ $name =~ ^[a-z][a-z0-9_]*$ ]] || { echo "NAME is in snake_case, as files are: not $name" >&2; exit 2; }
type=$(sed -E 's/(^|_)([a-z0-9])/\U\2/g' <<<"$name")

touched=()

# write FILE: standard input into a new file.
write() {
  [ ! -e "$1" ] || { echo "$1 exists" >&2; exit 1; }
  sed "s/@name@/$name/g; s/@Type@/$type/g" >"$1"
  echo "wrote    $1"
  touched+=("$1")
}
# enter FILE PATTERN LINE: LINE after the last line of FILE that matches PATTERN.
enter() {
  local at
  at=$(grep -nE "$2" "$1" | tail -1 | cut -d: -f1)
  [ -n "$at" ] || { echo "$1: no line like $2; enter by hand: $3" >&2; exit 1; }
  sed -i "${at}a\\$3" "$1"
  echo "entered  $1"
  [[ $1 = *.def ]] || touched+=("$1")
}

new_op() {
  write "kernels/$name.h" <<'TEXT'
// @Type@: what it is for, and the paper if there is one.
#pragma once

#include "kernels/kernel.h"

namespace limber::kernels {

// y[i] = x[i].   x, y: (n).
LIMBER_KERNEL(@name@_forward, Out y, In x, int64_t n)
// dx[i] = dy[i].
LIMBER_KERNEL(@name@_backward, Out dx, In dy, int64_t n)

}  // namespace limber::kernels
TEXT
  write "kernels/cpu/$name.cpp" <<'TEXT'
#include "kernels/@name@.h"

#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {

void @name@_forward(const Exec& ex, Out y, In x, int64_t n) {
  by_float_type(x.dtype, [&]<class T>(T) {
    parallel_for(ex, n, 4096, [&](int64_t begin, int64_t end) {
      const T* from = x.as<T>() + begin;
      T* to = y.as<T>() + begin;
      for_lanes<T>(end - begin, [&](int64_t i, int64_t m) { store(to + i, load(from + i, m), m); });
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
TEXT
  write "kernels/cpu/${name}_grad.cpp" <<'TEXT'
#include "kernels/@name@.h"

#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {

void @name@_backward(const Exec& ex, Out dx, In dy, int64_t n) {
  by_float_type(dy.dtype, [&]<class T>(T) {
    parallel_for(ex, n, 4096, [&](int64_t begin, int64_t end) {
      const T* from = dy.as<T>() + begin;
      T* to = dx.as<T>() + begin;
      for_lanes<T>(end - begin, [&](int64_t i, int64_t m) { store(to + i, load(from + i, m), m); });
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
TEXT
  write "tensor/ops/$name.h" <<'TEXT'
#pragma once

#include "tensor/op.h"

namespace limber {

// (x) -> y of the same shape.
struct @Type@Op : OpOf<OpKind::@Type@, Keep::nothing> {
  std::vector<Spec> infer(std::span<const Tensor> in) const override;
  void forward(const kernels::Exec& ex, std::span<const Tensor> in,
               std::span<const Tensor> out) const override;
};

}  // namespace limber
TEXT
  write "tensor/ops/$name.cpp" <<'TEXT'
#include "tensor/ops/@name@.h"

#include "kernels/@name@.h"
#include "tensor/ops.h"
#include "tensor/ops/check.h"

namespace limber {

std::vector<Spec> @Type@Op::infer(std::span<const Tensor> in) const {
  check_float(in[0], "@name@");
  return {{in[0].shape(), in[0].dtype()}};
}

void @Type@Op::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                     std::span<const Tensor> out) const {
  kernels::@name@_forward(ex, out[0].out(), in[0].in(), in[0].numel());
}

Tensor @name@(const Tensor& x) { return apply_one(@Type@Op(), {x}); }

}  // namespace limber
TEXT
  write "autograd/rules/$name.cpp" <<'TEXT'
#include "kernels/@name@.h"

#include "autograd/rules.h"

namespace limber {

void backward(const @Type@Op&, GradContext& g) {
  const Tensor& dy = g.grad();
  const Tensor dx = Tensor::empty(dy.shape(), dy.dtype());
  kernels::@name@_backward(exec_for(dy.dtype()), dx.out(), dy.in(), dy.numel());
  g.set(0, dx);
}

}  // namespace limber
TEXT
  write "tests/ops/cases/$name.cpp" <<'TEXT'
#include "tests/ops/cases.h"

namespace limber::test {

std::vector<OpCase> @name@_cases() {
  return {
      {"@Type@/odd_length", {{{3, 37}}}, [](const auto& x) { return @name@(x[0]); }},
      {"@Type@/empty", {{{0, 4}}}, [](const auto& x) { return @name@(x[0]); }},
  };
}

}  // namespace limber::test
TEXT
  enter tensor/ops.def '^LIMBER_OP' "LIMBER_OP($type, widest)"
  enter tensor/ops.h '^Tensor ' "\n// What $name does. x, y: any shape.\nTensor $name(const Tensor\& x);"
  enter autograd/rules.h '#include "tensor/ops/' "#include \"tensor/ops/$name.h\""
  enter tests/ops/cases.h '_cases\(\);' "std::vector<OpCase> ${name}_cases();"
  sed -i -E "s/([a-z_]+_cases)\}\)/\1, ${name}_cases})/" tests/ops/cases/table.cpp
  grep -q "${name}_cases" tests/ops/cases/table.cpp ||
    { echo "tests/ops/cases/table.cpp: enter ${name}_cases by hand" >&2; exit 1; }
  echo "entered  tests/ops/cases/table.cpp"
  touched+=(tests/ops/cases/table.cpp)
  next="./dev op $type, docs/adding-an-op.md"
}

new_model() {
  write "pose/backbones/$name.h" <<'TEXT'
// @Type@: author, year, arXiv number.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_@name@(const Config& config, const Scope& scope);

}  // namespace limber
TEXT
  write "pose/backbones/$name.cpp" <<'TEXT'
#include "pose/backbones/@name@.h"

#include "nn/blocks/conv_module.h"
#include "pose/core/layer_config.h"

namespace limber {
namespace {

class @Type@ : public Backbone {
 public:
  @Type@(const Config& c, const Scope& s);
  Features operator()(const Tensor& image) const override;

 private:
  ConvModule stem_;
};

// The names below are those of MMPose's module, so that its checkpoints load.
@Type@::@Type@(const Config& c, const Scope& s)
    : stem_(s / "stem",
            ConvOptions::square(c.get("in_channels", 3), c.get("channels", 32), 3, 2),
            read_norm(c, "norm_cfg", {.type = NormType::batch}),
            read_act(c, "act_cfg", {ActType::relu})) {}

Features @Type@::operator()(const Tensor& image) const { return {stem_(image)}; }

}  // namespace

std::unique_ptr<Backbone> make_@name@(const Config& config, const Scope& scope) {
  return std::make_unique<@Type@>(config, scope);
}

}  // namespace limber
TEXT
  write "tests/pose/${name}_test.cpp" <<'TEXT'
#include "pose/backbones/@name@.h"

#include <gtest/gtest.h>

namespace limber {
namespace {

TEST(@Type@, GivesMapsOfHalfTheSize) {
  ParameterStore store;
  const auto model = make_backbone(Config::parse(R"({"type": "@Type@"})"), Scope(store));
  const Features maps = (*model)(Tensor::zeros({1, 64, 48, 3}));
  ASSERT_EQ(maps.size(), 1u);
  EXPECT_EQ(maps[0].shape(), (Shape{1, 32, 24, 32}));
}

}  // namespace
}  // namespace limber
TEXT
  enter pose/backbones/factory.cpp '#include "pose/backbones/' "#include \"pose/backbones/$name.h\""
  enter pose/backbones/factory.cpp '^    \{"' "    {\"$type\", make_$name},"
  next="./dev test ^$type, docs/adding-a-model.md"
}

case "$kind" in
  new-op) new_op ;;
  new-model) new_model ;;
  *) echo "new-op or new-model, not $kind" >&2; exit 2 ;;
esac
command -v clang-format >/dev/null && clang-format -i "${touched[@]}"
echo "next     $next"
