/* Figures of the paper.
 * Not this program's. */
#include "paper.h"

#include <string.h>

const sn_paper_row sn_paper[] = {
    {"knn", "2s-AGCN, AimCLR", {40.8, 37.1, 25.9}},
    {"knn", "2s-AGCN, AimCLR + dense", {40.9, 42.6, 28.5}},
    {"knn", "2s-AGCN, HiCLR", {43.7, 41.0, 22.2}},
    {"knn", "2s-AGCN, HiCLR + dense", {42.7, 43.4, 25.0}},
    {"knn", "2s-AGCN, RVTCLR", {38.2, 36.3, 22.7}},
    {"knn", "2s-AGCN, RVTCLR + dense", {43.4, 46.2, 31.2}},
    {"knn", "ST-GCN, RVTCLR", {34.7, 32.3, 19.6}},
    {"knn", "ST-GCN, RVTCLR + dense", {37.1, 30.9, 18.3}},
    {"knn", "UNIK, RVTCLR", {38.0, 35.6, 20.7}},
    {"knn", "UNIK, RVTCLR + dense", {37.9, 36.0, 21.9}},
    {"linear", "2s-AGCN, AimCLR", {42.6, 43.3, 38.6}},
    {"linear", "2s-AGCN, AimCLR + dense", {42.3, 46.6, 41.0}},
    {"linear", "2s-AGCN, HiCLR", {43.3, 41.1, 36.7}},
    {"linear", "2s-AGCN, HiCLR + dense", {43.7, 47.4, 38.0}},
    {"linear", "2s-AGCN, RVTCLR", {40.9, 38.8, 34.8}},
    {"linear", "2s-AGCN, RVTCLR + dense", {45.3, 49.1, 39.3}},
    {"linear", "ST-GCN, RVTCLR", {46.0, 43.2, 37.4}},
    {"linear", "ST-GCN, RVTCLR + dense", {47.5, 49.6, 43.9}},
    {"linear", "UNIK, RVTCLR", {46.9, 48.0, 38.9}},
    {"linear", "UNIK, RVTCLR + dense", {47.1, 50.6, 38.7}},
    {"labels", "random init, weak", {34.2, 40.2, 27.5}},
    {"labels", "random init, full", {47.3, 50.8, 39.2}},
    {"labels", "RVTCLR + dense, weak", {46.8, 44.2, 36.8}},
    {"labels", "RVTCLR + dense, 10 %", {51.0, 45.4, 38.4}},
    {"labels", "RVTCLR + dense, 20 %", {52.1, 51.5, 42.5}},
    {"labels", "RVTCLR + dense, 30 %", {53.5, 56.2, 44.2}},
    {"labels", "RVTCLR + dense, 40 %", {53.9, 57.7, 45.2}},
    {"pku", "ST-GCN, from BABEL, RVTCLR", {78.0}},
    {"pku", "ST-GCN, from BABEL, RVTCLR + dense", {80.6}},
    {"pku", "2s-AGCN, from BABEL, RVTCLR", {84.6}},
    {"pku", "2s-AGCN, from BABEL, RVTCLR + dense", {84.7}},
    {"pku", "UNIK, from BABEL, RVTCLR", {85.3}},
    {"pku", "UNIK, from BABEL, RVTCLR + dense", {86.0}},
    {"pku", "Hyper-GCN, from BABEL, RVTCLR", {60.1}},
    {"pku", "Hyper-GCN, from BABEL, RVTCLR + dense", {67.5}},
    {"pku", "2s-AGCN, from NTU RGB+D, RVTCLR", {84.1}},
    {"pku", "2s-AGCN, from NTU RGB+D, RVTCLR + dense", {76.1}},
    {"pku", "Hi-TRS", {66.6}},
    {"pku", "PCM3", {82.3}},
    {"pku", "USDRL", {77.4}},
};
const unsigned sn_paper_rows = sizeof sn_paper / sizeof *sn_paper;

bool sn_paper_find(const char *text, const char **out_table, int *out_column)
{
    size_t n = strcspn(text, "-");
    for (unsigned i = 0; i < sn_paper_rows; i++) {
        const char *table = sn_paper[i].table;
        bool        babel = strcmp(table, "pku") != 0;
        if (strlen(table) != n || memcmp(table, text, n) != 0) continue;
        if (babel ? text[n] != '-' || text[n + 1] < '1' || text[n + 1] > '3' || text[n + 2] : text[n]) return false;
        *out_table = table;
        *out_column = babel ? text[n + 1] - '1' : 0;
        return true;
    }
    return false;
}
