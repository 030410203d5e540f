/* 3x3 rotations in double, for forward kinematics and alignment.
 * Not a linear algebra library. Matrices are row-major and act on columns: y = R x. */
#ifndef SN_RUNTIME_DATA_ROTATION_H
#define SN_RUNTIME_DATA_ROTATION_H

typedef struct rotation {
    double m[3][3];
} rotation;

rotation sn_rt_rotation_identity(void);
/* Counterclockwise when the axis (0 x, 1 y, 2 z) points at the viewer; radians. */
rotation sn_rt_rotation_about(int axis, double angle);
/* About the unit vector `u` (Rodrigues). */
rotation sn_rt_rotation_about_vector(const double u[3], double angle);
rotation sn_rt_rotation_multiply(const rotation *a, const rotation *b);
rotation sn_rt_rotation_transpose(const rotation *a);
/* out = R x; out may be x. */
void sn_rt_rotation_apply(const rotation *r, const double x[3], double out[3]);

#endif
