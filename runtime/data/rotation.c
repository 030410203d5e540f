/* 3x3 rotations in double.
 * Not for the hot path of training. */
#include "rotation.h"

#include <math.h>

rotation sn_rt_rotation_identity(void)
{
    return (rotation){{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
}

rotation sn_rt_rotation_about(int axis, double angle)
{
    rotation r = sn_rt_rotation_identity();
    int a = (axis + 1) % 3, b = (axis + 2) % 3;
    double c = cos(angle), s = sin(angle);
    r.m[a][a] = c;
    r.m[a][b] = -s;
    r.m[b][a] = s;
    r.m[b][b] = c;
    return r;
}

rotation sn_rt_rotation_about_vector(const double u[3], double angle)
{
    double c = cos(angle), s = sin(angle), k = 1 - c;
    return (rotation){{
        {c + u[0] * u[0] * k, u[0] * u[1] * k - u[2] * s, u[0] * u[2] * k + u[1] * s},
        {u[1] * u[0] * k + u[2] * s, c + u[1] * u[1] * k, u[1] * u[2] * k - u[0] * s},
        {u[2] * u[0] * k - u[1] * s, u[2] * u[1] * k + u[0] * s, c + u[2] * u[2] * k},
    }};
}

rotation sn_rt_rotation_multiply(const rotation *a, const rotation *b)
{
    rotation r;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            r.m[i][j] = a->m[i][0] * b->m[0][j] + a->m[i][1] * b->m[1][j] + a->m[i][2] * b->m[2][j];
    return r;
}

rotation sn_rt_rotation_transpose(const rotation *a)
{
    rotation r;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            r.m[i][j] = a->m[j][i];
    return r;
}

void sn_rt_rotation_apply(const rotation *r, const double x[3], double out[3])
{
    double v[3] = {x[0], x[1], x[2]};
    for (int i = 0; i < 3; i++)
        out[i] = r->m[i][0] * v[0] + r->m[i][1] * v[1] + r->m[i][2] * v[2];
}
