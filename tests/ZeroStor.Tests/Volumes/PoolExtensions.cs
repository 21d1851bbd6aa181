namespace ZeroStor.Tests.Volumes;

internal static class PoolExtensions
{
    // More than a sector, and no multiple of anything.
    private const int Offsets = 701;

    /// <summary>A slice that begins anywhere in its buffer, as a shard does within its stripe's.</summary>
    internal static BufferSlice RentAnywhere(this BufferPool pool, int bytes) =>
        pool.Rent(bytes + Offsets).Slice(bytes * 31 % Offsets, bytes);
}
