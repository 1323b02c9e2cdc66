/* exponentials.cu: rows of so_exp and its gradient: methods, types, orders, inputs, batches.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "maps.h"
#include "sweep.h"

extern "C" {
#include "bench/judge.h"
}

template <class real> struct exponentials {
    so_ctx *ctx;
    so_method method;
    int n, work;
    int64_t batch;
    arrays A, G, R, D;
    so_status status;
};

template <class real> static void exponential(void *data, long k)
{
    exponentials<real> *e = (exponentials<real> *)data;
    real *A = (real *)array_of(&e->A, k), *G = (real *)array_of(&e->G, k);
    real *R = (real *)array_of(&e->R, k), *D = (real *)array_of(&e->D, k);
    if (e->work != VJP && e->status == SO_OK)
        e->status = so_exp(e->ctx, e->method, e->n, e->batch, A, R);
    if (e->work != FORWARD && e->status == SO_OK)
        e->status = so_exp_vjp(e->ctx, e->method, e->n, e->batch, A, R, G, D);
}

/* rho: of the matrices drawn. */
template <class real>
static void measure_method(sweep *s, const precision *p, const sweep_input *in, const judge *references, const char *input,
                           const double *rho, so_method method)
{
    const size_t size = (size_t)in->batch * (size_t)(in->n * in->n) * sizeof(real);
    const int copies = copies_for(s, 2 * size);
    row r = {"exp", sweep_method_name[method], p->name, input, NULL, nominal_real(p, method, in->n), in->n, in->batch};
    fresh_context(s, p);
    exponentials<real> e = {s->ctx, method, in->n, 0, in->batch, new_arrays(copies, size, in->A), new_arrays(copies, size, in->G),
                            new_arrays(copies, size, NULL), new_arrays(copies, size, NULL), SO_OK};
    void *host = sweep_allocate(in->batch * in->n * in->n, sizeof(real));
    for (int k = 0; k < copies && e.status == SO_OK; k++) /* rotations for the gradients that are timed alone */
        exponential<real>(&e, k);
    for (e.work = FORWARD; e.work < WORKS && e.status == SO_OK; e.work++) {
        r.work = work_name[e.work];
        r.times = gpu_time(exponential<real>, &e, s->repetitions, s->seconds);
        e.status = finish(s, e.status);
        if (e.status != SO_OK)
            break;
        r.workspace = so_workspace_bytes(s->ctx), r.result_bytes = size;
        r.bytes = nominal_exp_bytes(p, in->n, e.work) * (double)in->batch;
        r.flops = nominal_exp(p->computed, method, in->n, rho, e.work) * (double)in->batch;
        r.judged = {};
        r.judged.f64_inside = p->stored != p->computed;
        r.judged.method = method;
        r.judged.direction = e.work == FORWARD ? SWEEP_FORWARD : SWEEP_VJP;
        if (e.work != BOTH) {
            read_array(host, e.work == FORWARD ? e.R.memory : e.D.memory, size);
            judge_row(references, host, e.work == VJP ? host : NULL, &r.judged);
        }
        finish_row(s, &r);
    }
    if (e.status != SO_OK)
        no_rows(s, &r, method, e.status);
    free(host);
    free_arrays(&e.A), free_arrays(&e.G), free_arrays(&e.R), free_arrays(&e.D);
}

/* batch: an index of s->batches. */
static bool measured(const sweep *s, const precision *p, so_method method, int batch)
{
    return !s->not_installed[method] && (!of_nvidia(method) || (batch == 0 && p->stored == p->computed));
}

static void measure_input(sweep *s, const precision *p, int n, int batch_index, int64_t batch, const char *input)
{
    sweep_input in = sweep_input_make(p->stored, n, batch, DRAWS, input, 1);
    judge *references = judge_create(&in, CHECKED);
    double rho[DRAWS];
    nominal_angles(n, input, rho);
    for (int m = 0; m < s->method_count; m++) {
        const so_method method = (so_method)s->methods[m];
        if (measured(s, p, method, batch_index))
            (p->stored == SWEEP_F32 ? measure_method<float> : measure_method<double>)(s, p, &in, references, input, rho, method);
    }
    judge_free(references);
    sweep_input_free(&in);
}

void measure_orders(sweep *s)
{
    for (int i = 0; i < s->kind_count; i++)
        for (int j = 0; j < s->n_count; j++)
            for (int k = 0; k < s->input_count; k++)
                for (int b = 0; b < s->batch_count; b++) {
                    const precision *p = &precisions[s->kinds[i]];
                    int64_t fill = ((int64_t)128 << 20) / (s->n[j] * s->n[j] * (int64_t)sweep_real_bytes(p->stored));
                    int64_t batch = s->tiny ? 2 : s->batches[b] ? s->batches[b] : fill;
                    if (b == 0 || batch > s->batches[0])
                        measure_input(s, p, s->n[j], b, batch, input_name[s->inputs[k]]);
                }
}
