// JPEG files of forms that the program itself does not write.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "tensor/tensor.h"

// clang-format off: jpeglib.h needs <cstdio> before it
#include <jpeglib.h>
#include <cstdio>
// clang-format on

namespace limber::test {

// pixels: u8 (H, W, C), C numbers of `space`. set(info) says what differs from libjpeg's defaults;
// it may point to what lives until this returns.
template <class Set>
std::vector<uint8_t> written_jpeg(const Tensor& pixels, J_COLOR_SPACE space, const Set& set) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = JDIMENSION(pixels.size(1));
  info.image_height = JDIMENSION(pixels.size(0));
  info.input_components = int(pixels.size(2));
  info.in_color_space = space;
  jpeg_set_defaults(&info);
  set(info);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row =
        pixels.data<uint8_t>() + int64_t(info.next_scanline) * pixels.size(1) * pixels.size(2);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::vector<uint8_t> out(bytes, bytes + size);
  jpeg_destroy_compress(&info);
  std::free(bytes);
  return out;
}

}  // namespace limber::test
