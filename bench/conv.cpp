// Convolutions of pose networks, forward and backward, batch 1 and 8.
#include <cmath>
#include <memory>

#include "autograd/autograd.h"
#include "bench/bench.h"
#include "kernels/conv.h"
#include "tensor/op.h"
#include "tensor/ops.h"
#include "tensor/random.h"

namespace limber::bench {
namespace {

struct Case {
  const char* name;
  int64_t height, width, in, out, kernel, stride, groups;
};

struct Operands {
  Tensor x, w, y, residual;
};

// Numbers as a network's: varied, so that no function of them is at its bound.
Tensor varied(Shape shape, double largest) {
  Tensor t = Tensor::empty(shape);
  Random random(1);
  for (int64_t i = 0; i < t.numel(); ++i)
    t.data<float>()[i] = float(random.uniform(-largest, largest));
  return t;
}

kernels::Conv shape_of(const Case& c, int64_t batch) {
  kernels::Conv s;
  s.N = batch, s.H = c.height, s.W = c.width, s.C = c.in;
  s.K = c.out, s.R = s.S = c.kernel, s.groups = c.groups;
  s.stride_h = s.stride_w = c.stride, s.pad_h = s.pad_w = c.kernel / 2;
  s.P = (s.H + 2 * s.pad_h - s.R) / c.stride + 1;
  s.Q = (s.W + 2 * s.pad_w - s.S) / c.stride + 1;
  return s;
}

double operations_of(const kernels::Conv& s) {
  return 2.0 * double(s.N * s.P * s.Q * s.K * s.R * s.S * (s.C / s.groups));
}

// Numbers of f32 that are read or written at least once.
double bytes_of(const kernels::Conv& s) {
  return 4.0 *
         double(s.N * (s.P * s.Q * s.K + s.H * s.W * s.C) + s.K * s.R * s.S * (s.C / s.groups));
}

void add(std::vector<Benchmark>& list, const Case& c, int64_t batch) {
  const kernels::Conv s = shape_of(c, batch);
  auto o = std::make_shared<Operands>();
  const auto prepare = [=] {
    if (o->x.defined()) return;
    *o = {Tensor::full({s.N, s.H, s.W, s.C}, 0.5),
          Tensor::full({s.K, s.R, s.S, s.C / s.groups}, 0.25),
          Tensor::full({s.N, s.P, s.Q, s.K}, 1),
          {}};
  };
  const double flops = operations_of(s), bytes = bytes_of(s);
  const std::string name = str("/", c.name, "_batch", batch);
  list.push_back({"conv" + name, flops, bytes, [=] {
                    prepare();
                    kernels::conv_forward(default_exec(), s, o->y.out(), o->x.in(), o->w.in(), {});
                  }});
  list.push_back({"conv_data" + name, flops, bytes, [=] {
                    prepare();
                    kernels::conv_backward_data(default_exec(), s, o->x.out(), o->y.in(), o->w.in(),
                                                {});
                  }});
  list.push_back({"conv_weight" + name, flops, bytes, [=] {
                    prepare();
                    kernels::conv_backward_weight(default_exec(), s, o->w.out(), o->x.in(),
                                                  o->y.in());
                  }});
}

// A planned fully connected layer: x (rows, in) times a weight that was packed ahead, and a
// residual sum, and with a name for it an activation.
void add_planned(std::vector<Benchmark>& list, int64_t rows, int64_t in, int64_t out,
                 const std::string& activation = "", kernels::Unary f = {}) {
  kernels::Conv s;
  s.N = s.W = s.Q = 1, s.H = s.P = rows, s.C = in, s.K = out;
  auto o = std::make_shared<Operands>();
  const double outputs = double(rows * out), weights = double(in * out);
  const double bytes = 4.0 * (2 * outputs + double(rows * in) + weights);
  list.push_back(
      {str("planned/", rows, "x", in, "x", out, activation), 2 * outputs * double(in), bytes, [=] {
         if (!o->x.defined()) {
           kernels::PackedForm form;
           kernels::conv_packed_form(default_exec(), s, {}, form);
           *o = {varied({rows, in}, 1), varied({form.numbers}, 1 / std::sqrt(double(in))),
                 Tensor::empty({rows, out}), varied({rows, out}, 1)};
         }
         kernels::Epilogue e;
         e.residual = o->residual.in(), e.packed = true;
         e.acts = !activation.empty(), e.act.f = f;
         kernels::conv_fused(default_exec(), s, e, o->y.out(), o->x.in(), o->w.in(), {});
       }});
}

// A planned convolution whose packed weight comes from memory, as each does once a picture in a
// network: runs take turns among as many of them as 240 MB hold.
void add_cold(std::vector<Benchmark>& list, const Case& c) {
  const kernels::Conv s = shape_of(c, 1);
  struct Shared {
    Tensor x, y;
    std::vector<Tensor> weights;
    size_t turn = 0;
  };
  auto o = std::make_shared<Shared>();
  list.push_back(
      {str("cold/", c.name), operations_of(s), bytes_of(s), [=] {
         if (o->weights.empty()) {
           kernels::PackedForm form;
           kernels::conv_packed_form(default_exec(), s, {}, form);
           const Tensor one = varied({form.numbers}, 0.1);
           for (int64_t total = 0; total < (int64_t{60} << 20); total += form.numbers)
             o->weights.push_back(one.clone());
           o->x = varied({1, s.H, s.W, s.C}, 1), o->y = Tensor::empty({1, s.P, s.Q, s.K});
         }
         kernels::Epilogue e;
         e.packed = true;
         const Tensor& w = o->weights[o->turn++ % o->weights.size()];
         kernels::conv_fused(default_exec(), s, e, o->y.out(), o->x.in(), w.in(), {});
       }});
}

}  // namespace

std::vector<Benchmark> conv_benchmarks() {
  static constexpr Case cases[] = {
      {"stem_3x3s2_3_64", 256, 192, 3, 64, 3, 2, 1},
      {"3x3_32", 64, 48, 32, 32, 3, 1, 1},
      {"3x3_48", 64, 48, 48, 48, 3, 1, 1},
      {"3x3_64", 64, 48, 64, 64, 3, 1, 1},
      {"3x3_128", 16, 12, 128, 128, 3, 1, 1},
      {"3x3_256", 8, 6, 256, 256, 3, 1, 1},
      {"3x3s2_32_64", 64, 48, 32, 64, 3, 2, 1},
      {"1x1_64_256", 64, 48, 64, 256, 1, 1, 1},
      {"1x1_256_64", 64, 48, 256, 64, 1, 1, 1},
      {"1x1s2_256_512", 64, 48, 256, 512, 1, 2, 1},
      {"head_1x1_256_17", 64, 48, 256, 17, 1, 1, 1},
      {"deconv_4x4s2_256_256", 32, 24, 256, 256, 4, 2, 1},
      {"depthwise_3x3_96", 64, 48, 96, 96, 3, 1, 96},
      {"depthwise_5x5_192", 16, 12, 192, 192, 5, 1, 192},
      {"depthwise_3x3s2_96", 64, 48, 96, 96, 3, 2, 96},
  };
  static constexpr Case cold[] = {
      // ResNet-50's at 256 x 192
      {"3x3_64", 64, 48, 64, 64, 3, 1, 1},        {"3x3_128", 32, 24, 128, 128, 3, 1, 1},
      {"3x3_256", 16, 12, 256, 256, 3, 1, 1},     {"3x3_512", 8, 6, 512, 512, 3, 1, 1},
      {"3x3s2_512", 16, 12, 512, 512, 3, 2, 1},   {"1x1_1024_256", 16, 12, 1024, 256, 1, 1, 1},
      {"1x1_2048_512", 8, 6, 2048, 512, 1, 1, 1}, {"1x1_512_2048", 8, 6, 512, 2048, 1, 1, 1},
  };
  std::vector<Benchmark> list;
  for (const Case& c : cases)
    for (int64_t batch : {1, 8}) add(list, c, batch);
  for (const Case& c : cold) add_cold(list, c);
  for (int64_t rows : {192, 1536}) {  // ViT-B's layers at 256 x 192, batch 1 and 8
    add_planned(list, rows, 768, 768);
    add_planned(list, rows, 768, 2304);
    add_planned(list, rows, 768, 3072);
    add_planned(list, rows, 768, 3072, "_gelu", kernels::Unary::gelu);
    add_planned(list, rows, 3072, 768);
  }
  add_planned(list, 3072, 96, 96);  // a stage of RTMPose-m, 64 x 48
  add_planned(list, 3072, 96, 96, "_silu", kernels::Unary::silu);
  return list;
}

}  // namespace limber::bench
