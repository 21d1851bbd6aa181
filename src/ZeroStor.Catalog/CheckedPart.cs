using System.Collections.Immutable;

namespace ZeroStor.Catalog;

/// <summary>An order for a part that passed every check that needs no database.</summary>
/// <param name="Named">The contents that its manifest names, each once.</param>
internal sealed record CheckedPart(PartOrder Order, Manifest Manifest, ImmutableArray<ContentId> Named)
{
    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static CheckedPart Of(PartOrder order)
    {
        ObjectKey.Check(order.Upload.Key);
        UploadParts.CheckNumber(order.Number);
        string what = $"part {order.Number} of '{order.Upload.Key}'";
        CheckedOrder.CheckETag(order.ETag, what);
        if (order.Manifest.Length > UploadParts.MaxManifestBytes)
        {
            throw ZeroStorException.Invalid(
                $"The manifest of {what} has {order.Manifest.Length} bytes, and at most "
                + $"{UploadParts.MaxManifestBytes} are kept: put its bytes instead of naming what others hold.");
        }

        foreach ((int page, byte[] bytes) in order.Pages)
        {
            ContentTable.CheckPage(page, bytes);
        }

        Manifest manifest = CheckedOrder.Decode(order.Manifest, what);
        return new CheckedPart(order, manifest, [.. manifest.Contents.Select(c => c.Id).Distinct()]);
    }
}
