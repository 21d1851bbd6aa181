namespace ZeroStor.Client;

/// <summary>What a read takes of one stripe.</summary>
/// <param name="Content">Index into <see cref="Manifest.Contents"/>.</param>
/// <param name="Ordinal">Which stripe of that content.</param>
/// <param name="Offset">First byte within the stripe.</param>
/// <param name="Length">Bytes; at least one.</param>
internal readonly record struct StripeSlice(int Content, int Ordinal, int Offset, int Length);

/// <summary>Which parts of which stripes a range of a version is made of.</summary>
internal static class StripePlan
{
    /// <summary>The slices of <paramref name="length"/> bytes from <paramref name="offset"/>, in order, made
    /// one by one: a version may have millions.</summary>
    public static IEnumerable<StripeSlice> Of(Manifest manifest, long offset, long length)
    {
        foreach (Extent extent in manifest.Extents)
        {
            if (length == 0)
            {
                yield break;
            }

            if (offset >= extent.Length)
            {
                offset -= extent.Length;
                continue;
            }

            int stripeBytes = Geometry.StripeBytes(manifest.Contents[extent.Content].Code);
            long at = extent.Offset + offset;
            long end = at + Math.Min(length, extent.Length - offset);
            length -= end - at;
            offset = 0;
            while (at < end)
            {
                int within = (int)(at % stripeBytes);
                int bytes = (int)Math.Min(stripeBytes - within, end - at);
                yield return new StripeSlice(extent.Content, (int)(at / stripeBytes), within, bytes);
                at += bytes;
            }
        }
    }

    /// <summary>Refuses a manifest whose parts do not fit one another, before anything is read by
    /// it.</summary>
    /// <exception cref="ZeroStorException">Corrupt.</exception>
    public static void Check(Manifest manifest, string name)
    {
        bool fits = manifest.Extents.Sum(e => e.Length) == manifest.Size
            && manifest.Extents.All(e => e.Content < manifest.Contents.Length
                && e.Length <= manifest.Contents[e.Content].Bytes - e.Offset)
            && manifest.Contents.All(c => c.Stripes.Length == (c.IsPaged ? 0 : c.StripeCount));
        if (!fits)
        {
            throw ZeroStorException.Corrupt($"The manifest of '{name}' names bytes that it does not hold.");
        }
    }
}
