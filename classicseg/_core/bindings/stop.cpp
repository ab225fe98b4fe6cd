#include <vector>

#include "call.hpp"

namespace classicseg {
namespace {

namespace nb = nanobind;

// Set by any thread, it ends kernel calls of the threads that run under it.
struct Stop {
    std::atomic<bool> flag{false};
};

// The ones that this thread runs under. The last one counts.
thread_local std::vector<Stop*> stops_of_thread;

const std::atomic<bool>* flag_of_thread() { return stops_of_thread.empty() ? nullptr : &stops_of_thread.back()->flag; }

// Python runs the handlers of signals on its main thread only.
bool is_main_thread() {
    const nb::module_ threading = nb::module_::import_("threading");
    return threading.attr("main_thread")().attr("ident").equal(threading.attr("get_ident")());
}

PyObject* stopped_type = nullptr;

void translate(const std::exception_ptr& exception, void*) {
    try {
        std::rethrow_exception(exception);
    } catch (const Stopped&) {
        // A handler's exception is there already.
        if (!PyErr_Occurred()) PyErr_SetString(stopped_type, "the result is not wanted any more");
    }
}

}  // namespace

Call::Call() : watch_(ask, this, flag_of_thread()) { checkpoint(); }

bool Call::ask(void* self) {
    Call& call = *static_cast<Call*>(self);
    if (call.thread_ == Thread::other) return false;
    nb::gil_scoped_acquire lock;
    try {
        if (call.thread_ == Thread::unknown) call.thread_ = is_main_thread() ? Thread::main : Thread::other;
        return call.thread_ == Thread::main && PyErr_CheckSignals() != 0;
    } catch (nb::python_error& error) {  // a handler's, run by the Python code just called
        error.restore();
        return true;
    }
}

void bind_stop(nb::module_& m) {
    stopped_type = PyErr_NewException("classicseg._ext.Stopped", nullptr, nullptr);
    if (!stopped_type) nb::raise_python_error();
    m.attr("Stopped") = nb::handle(stopped_type);
    nb::register_exception_translator(translate, nullptr);
    nb::class_<Stop>(m, "Stop")
        .def(nb::init<>())
        .def("set", [](Stop& stop) { stop.flag.store(true, std::memory_order_relaxed); })
        .def("is_set", [](const Stop& stop) { return stop.flag.load(std::memory_order_relaxed); })
        .def("__enter__",
             [](nb::object self) {
                 stops_of_thread.push_back(nb::cast<Stop*>(self));
                 return self;
             })
        .def("__exit__", [](Stop&, nb::args) { stops_of_thread.pop_back(); });
}

}  // namespace classicseg
