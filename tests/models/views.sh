# What a recipe reads, for scripts that source this: views of the motion as .npy in $work, and their --in options, added to the list `in`.
# Not a program.  Needs golden, here, work, file, n, frames, and for methods that count epochs $work/one.npy.
views=(view_q 0 view_k 30) # and where each begins
case $file in
*/aimclr_*) views+=(view_strong 15) ;;
*/hiclr_*) views+=(view_strong 15 view_masked 7) ;;
*/rvtclr_*) views+=(view_whole 15) ;;
esac
[[ $file == */moco_* ]] || in+=(--in "epoch=$work/one.npy")
for ((v = 0; v < ${#views[@]}; v += 2)); do
    "$golden" clip "$here/golden/motion.npy" "$n" "${views[v + 1]}" "$frames" "$work/${views[v]}.npy"
    in+=(--in "${views[v]}=$work/${views[v]}.npy")
done
