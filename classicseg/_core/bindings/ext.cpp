// The extension module: one file of bindings for each module of the package.
// They unwrap arrays that Python has checked, let go of the GIL and call a kernel.
#include <nanobind/nanobind.h>

#include "kernels.hpp"

namespace classicseg {
void bind_graphcut(nanobind::module_& m);
void bind_gmm(nanobind::module_& m);
void bind_densecrf(nanobind::module_& m);
void bind_graph(nanobind::module_& m);
void bind_gridcrf(nanobind::module_& m);
void bind_moves(nanobind::module_& m);
void bind_saliency(nanobind::module_& m);
void bind_stop(nanobind::module_& m);
void bind_superpixels(nanobind::module_& m);
}  // namespace classicseg

NB_MODULE(_ext, m) {
    // A filter in a graph of torch's that is alive when Python ends is never let go: no leak of ours.
    nanobind::set_leak_warnings(false);
    m.attr("version") = CLASSICSEG_VERSION;
    m.attr("instruction_set") = classicseg::kernels().name;
    classicseg::bind_graphcut(m);
    classicseg::bind_gmm(m);
    classicseg::bind_densecrf(m);
    classicseg::bind_graph(m);
    classicseg::bind_gridcrf(m);
    classicseg::bind_moves(m);
    classicseg::bind_saliency(m);
    classicseg::bind_stop(m);
    classicseg::bind_superpixels(m);
}
