using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace ZeroStor.Catalog;

/// <summary>What the completion of an upload rests on: it was made of the parts as they stood at this
/// revision.</summary>
/// <param name="Upload">Which.</param>
/// <param name="Revision">Of which it was made; -1: there was no such upload.</param>
/// <param name="Version">What the version is called: the same parts have the same name.</param>
/// <param name="Changes">By how much the names of contents change.</param>
internal sealed record Completion(
    UploadName Upload, long Revision, VersionId Version, ImmutableDictionary<ContentId, int> Changes)
{
    private const long NoRevision = -1;

    /// <summary>Makes a commit's order of an order to complete and what it found.</summary>
    /// <param name="order">The order.</param>
    /// <param name="upload">The upload; null: there is none under way, and the row of its content tells
    /// why.</param>
    /// <param name="parts">All its parts.</param>
    /// <exception cref="ZeroStorException">InvalidArgument; Corrupt: a part cannot be read.</exception>
    public static CheckedOrder Of(CompleteOrder order, UploadRow? upload, ImmutableArray<PartRow> parts)
    {
        Check(order);
        VersionId version = VersionOf(order);
        var commit = new CommitOrder
        {
            Kind = CommitKind.Put,
            Vault = order.Upload.Vault,
            Key = order.Upload.Key,
            Content = order.Upload.Upload.Commit,
            If = order.If,
            Now = order.Now,
            Modified = order.Modified,
            ETag = order.ETag,
        };
        if (upload is null)
        {
            var nothing = new Completion(order.Upload, NoRevision, version, []);
            return new CheckedOrder(commit, null, []) { Completes = nothing };
        }

        var carried = Carried.Decode(upload.Carried);
        Manifest manifest = Join(order, version, carried, parts);
        ImmutableArray<ContentId> named = [.. manifest.Contents.Select(c => c.Id)];
        var names = PartNames.Of(order.Upload.Upload.Commit, parts);
        byte[] encoded = manifest.Encode();
        CheckedOrder.CheckManifestBytes(encoded, order.Upload.Key);
        return new CheckedOrder(commit with { Manifest = encoded, Tags = Tags.Encode(carried.Tags) }, manifest, named)
        {
            Completes = new Completion(order.Upload, upload.Revision, version, names.ChangesTo(named.ToHashSet())),
        };
    }

    private static void Check(CompleteOrder order)
    {
        ObjectKey.Check(order.Upload.Key);
        CheckedOrder.CheckETag(order.ETag, $"'{order.Upload.Key}'");
        if (order.Parts.IsEmpty)
        {
            throw ZeroStorException.Invalid(
                $"No part was named to make '{order.Upload.Key}' of: name at least one, or give the upload up.");
        }

        int last = 0;
        foreach (PartName part in order.Parts)
        {
            UploadParts.CheckNumber(part.Number);
            if (part.Number <= last)
            {
                throw ZeroStorException.Invalid(
                    $"Part {part.Number} was named behind part {last}: name parts in ascending order, each once.");
            }

            last = part.Number;
        }
    }

    private static Manifest Join(
        CompleteOrder order, VersionId version, Carried carried, ImmutableArray<PartRow> parts)
    {
        Dictionary<int, PartRow> standing = parts.ToDictionary(p => p.Number);
        var contents = ImmutableArray.CreateBuilder<ContentRef>();
        var extents = ImmutableArray.CreateBuilder<Extent>();
        var places = new Dictionary<ContentId, int>();
        foreach (PartName name in order.Parts)
        {
            PartRow part = Named(order, name, standing);
            Manifest made = PartNames.ManifestOf(order.Upload.Upload.Commit, part);
            foreach (ContentRef content in made.Contents)
            {
                if (places.TryAdd(content.Id, contents.Count))
                {
                    contents.Add(content);
                }
            }

            extents.AddRange(made.Extents.Select(e => e with { Content = places[made.Contents[e.Content].Id] }));
        }

        return new Manifest
        {
            Version = version,
            Size = extents.Sum(e => e.Length),
            ContentType = carried.ContentType,
            Headers = carried.Headers,
            Contents = contents.ToImmutable(),
            Extents = extents.ToImmutable(),
        };
    }

    private static PartRow Named(CompleteOrder order, PartName name, Dictionary<int, PartRow> standing)
    {
        PartRow part = standing.GetValueOrDefault(name.Number) ?? throw ZeroStorException.Invalid(
            $"Upload {order.Upload.Upload} of '{order.Upload.Key}' has no part {name.Number}: put it first.");
        return part.ETag == name.ETag
            ? part
            : throw ZeroStorException.Invalid(
                $"Part {name.Number} of upload {order.Upload.Upload} of '{order.Upload.Key}' has ETag {part.ETag}, not "
                + $"{name.ETag}: it was put again, so name it as it is now.");
    }

    // The upload's own 96 random bits make it as rare as any other.
    private static VersionId VersionOf(CompleteOrder order)
    {
        var said = new StringBuilder();
        said.Append(CultureInfo.InvariantCulture, $"{order.Upload.Upload}");
        foreach (PartName part in order.Parts)
        {
            said.Append(CultureInfo.InvariantCulture, $" {part.Number}:{part.ETag.Length}:{part.ETag}");
        }

        Sum128 sum = Sum128.Of(Encoding.UTF8.GetBytes(said.ToString()));
        return new VersionId(new UInt128(sum.High, sum.Low));
    }
}
