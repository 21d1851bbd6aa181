using System.Collections.Immutable;
using System.Globalization;

namespace ZeroStor.Grains;

internal sealed partial class Adopter
{
    // Uploads all parts again, as it were: the latest of each number, under a key that nobody has.
    private async Task<int> EnterUploadAsync(Found[] parts, bool isAdoption, CancellationToken cancel)
    {
        Found[] latest =
        [
            .. parts.GroupBy(p => p.Part!.Number)
                .OrderBy(g => g.Key)
                .Select(g => g.MaxBy(p => (p.Content.Written.Value, p.Part!.Modified))!),
        ];
        PartDraft first = latest[0].Part!;
        string key = $"{first.Key}.found-upload-{first.Upload.ToString()[^8..]}";
        ZeroStorException? failure = isAdoption ? await UploadAsync(latest, key, cancel) : null;
        int refused = 0;
        foreach (Found part in parts)
        {
            string refusal = latest.Contains(part)
                ? failure?.Message ?? ""
                : $"part {part.Part!.Number} was put again later";
            refused += refusal.Length > 0 ? 1 : 0;
            Show(part.Version with { EnteredAs = key, Refusal = refusal }, isAdoption);
        }

        return refused;
    }

    private async Task<ZeroStorException?> UploadAsync(Found[] parts, string key, CancellationToken cancel)
    {
        var upload = new UploadName(parts[0].Vault!.Info.Id, key, UploadId.New(map.Tick, entropy));
        var carried = new Carried
        {
            Headers = Carried.Nothing.Headers.SetItem(
                FoundHeader, parts.Max(p => p.Content.Written.Value).ToString(CultureInfo.InvariantCulture)),
        };
        try
        {
            await catalog.BeginUploadAsync(
                new UploadRow { Name = upload, Begun = time.GetUtcNow(), Carried = carried.Encode() }, map.Tick, cancel);
            foreach (Found part in parts)
            {
                CommitAnswer entered = await catalog.PutPartAsync(OrderOf(part, upload), cancel);
                if (entered.Kind != ErrorKind.None)
                {
                    await catalog.EndUploadAsync(upload, map.Tick, cancel);
                    return new ZeroStorException(entered.Kind, entered.Detail);
                }
            }

            CommitAnswer made = await catalog.CompleteUploadAsync(
                new CompleteOrder
                {
                    Upload = upload,
                    Parts = [.. parts.Select(p => new PartName(p.Part!.Number, p.Content.Content.ToString()))],
                    If = new Precondition { IfNoneMatch = "*" },
                    Now = map.Tick,
                    Modified = parts.Max(p => p.Part!.Modified),
                },
                cancel);
            return made.Kind == ErrorKind.None ? null : new ZeroStorException(made.Kind, made.Detail);
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.InvalidArgument)
        {
            // A key that became too long by its new ending.
            return e;
        }
    }

    private PartOrder OrderOf(Found part, UploadName upload)
    {
        (ContentRef content, ImmutableArray<(int Page, byte[] Bytes)> pages) =
            part.Complete(UploadParts.MaxInlineStripes);
        return new PartOrder
        {
            Upload = upload,
            Number = part.Part!.Number,
            Content = content.Id,
            Manifest = (part.Part.Manifest with { Contents = [content] }).Encode(),
            Now = map.Tick,
            Modified = part.Part.Modified,
            Pages = pages,
            IsFound = true,
        };
    }
}
