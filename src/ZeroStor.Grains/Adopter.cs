using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using ZeroStor.Contracts.Doors;
using ZeroStor.Paths;

namespace ZeroStor.Grains;

/// <summary>Takes a catalog that went back for the right one, when an operator says so. First it looks on disks
/// for contents that the catalog has no row of, and opens the drafts of commits beside them; then it enters
/// what it found, marked with the header <see cref="FoundHeader"/>. Nothing that the catalog has is lost by it:
/// of several versions of a key the newest has the key, the others get names of their own. What was deleted
/// since and still lies on disks is found as well; puts of no bytes, copies, vaults and deletes leave nothing
/// to be found. Of parts of an upload nobody knows which ones it was completed with, if it was: all that are
/// there become an object beside the key. Repeating it finds what is not entered yet. One run at a time.
/// </summary>
internal sealed partial class Adopter(
    ICatalog catalog,
    FindContents find,
    CatalogWatch watch,
    SiloMap map,
    CensusTaker census,
    VaultDirectory vaults,
    IEntropy entropy,
    TimeProvider time,
    ILogger<Adopter> log)
{
    /// <summary>The header of a version that was found on disks; its value is the tick of its put.</summary>
    public const string FoundHeader = "zerostor-found";

    /// <summary>Disks that were made in the lost time may come back: this many of their numbers are left out
    /// from now on.</summary>
    private const uint DisksPerLostTime = 1000;

    /// <summary>A commit that lost against another is decided again this often.</summary>
    private const int MaxTries = 10;

    private readonly Lock _lock = new();
    private Task _running = Task.CompletedTask;
    private AdoptProgress _progress = new()
    {
        IsRunning = false, WentBack = null, Found = 0, Entered = 0, Versions = [], Ended = 0,
    };

    /// <summary>How it stands; a step begins a run, unless one runs.</summary>
    /// <exception cref="ZeroStorException">PreconditionFailed: the catalog did not go back.</exception>
    public async Task<AdoptProgress> RunAsync(AdoptStep step, CancellationToken cancel)
    {
        FabricState state = await watch.LookAsync(cancel);
        if (step != AdoptStep.None && state.WentBack is null)
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                "the catalog is not behind any disk, so there is nothing to adopt: what disks hold and nobody "
                + "committed is reclaimed by itself");
        }

        lock (_lock)
        {
            if (step != AdoptStep.None && _running.IsCompleted)
            {
                _progress = _progress with
                {
                    IsRunning = true, Found = 0, Entered = 0, Versions = [], Failure = null,
                };
                _running = Task.Run(() => RunAsync(state.WentBack!.Value, step == AdoptStep.Adopt), CancellationToken.None);
            }

            return _progress with { WentBack = state.WentBack };
        }
    }

    private async Task RunAsync(Tick wentBack, bool isAdoption)
    {
        string? failure = null;
        try
        {
            await RunAsync(wentBack, isAdoption, CancellationToken.None);
        }
#pragma warning disable CA1031 // Whatever it was, who asks is told, and may begin again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            failure = e.Message;
        }

        lock (_lock)
        {
            _progress = _progress with { IsRunning = false, Failure = failure, Ended = _progress.Ended + 1 };
        }
    }

    private async Task RunAsync(Tick wentBack, bool isAdoption, CancellationToken cancel)
    {
        var names = (await catalog.ListVaultsAsync(cancel)).ToDictionary(v => v.Id, v => v.Name);
        var found = new List<Found>();
        await foreach (FoundContent content in find.RunAsync(map.Tick, cancel))
        {
            found.Add(await OpenAsync(content, names, cancel));
            Tell(found[^1].Version);
        }

        lock (_lock)
        {
            _progress = _progress with { Versions = [] };
        }

        long refused = 0;
        foreach (var ofUpload in found.Where(f => f.Part is not null).GroupBy(f => f.Part!.Upload))
        {
            refused += await EnterUploadAsync([.. ofUpload], isAdoption, cancel);
        }

        foreach (var ofKey in found.Where(f => f.Part is null).GroupBy(f => (f.Version.Vault, f.Version.Key)))
        {
            Found[] newestFirst =
                [.. ofKey.OrderByDescending(f => f.Content.Written).ThenByDescending(f => f.Version.Modified)];
            foreach ((int i, Found one) in newestFirst.Index())
            {
                FoundVersion told = one.Draft is null
                    ? one.Version
                    : await EnterAsync(one, isNewest: i == 0, wentBack, isAdoption, cancel);
                refused += told.Refusal.Length > 0 ? 1 : 0;
                Show(told, isAdoption);
            }
        }

        if (isAdoption)
        {
            await map.ChangeAsync(SkipDisks, cancel);
            await catalog.AdoptAsync(wentBack, cancel);
            log.CatalogAdopted(wentBack, found.Count - refused, refused);
            census.Ask();
        }
    }

    private void Tell(FoundVersion version)
    {
        lock (_lock)
        {
            _progress = _progress with { Found = _progress.Found + 1 };
            Show(version);
        }
    }

    private void Show(FoundVersion version)
    {
        if (_progress.Versions.Length < AdoptProgress.MaxTold)
        {
            _progress = _progress with { Versions = _progress.Versions.Add(version) };
        }
    }

    private void Show(FoundVersion version, bool isAdoption)
    {
        lock (_lock)
        {
            Show(version);
            if (isAdoption && version.Refusal.Length == 0)
            {
                _progress = _progress with { Entered = _progress.Entered + 1 };
            }
        }
    }

    private async Task<Found> OpenAsync(
        FoundContent content, Dictionary<VaultId, string> names, CancellationToken cancel)
    {
        if (!names.TryGetValue(content.Vault, out string? name))
        {
            return Found.Refused(content, content.Vault.ToString(), "the catalog does not know its vault");
        }

        if (content.SealedDraft.IsEmpty)
        {
            return Found.Refused(content, name, "its put did not come to an end");
        }

        try
        {
            OpenVault vault = await vaults.GetAsync(name, content.SealedDraft, cancel);
            if (vault.Held is null)
            {
                return Found.Refused(content, name, "its owner has the keys, and alone can tell what it was");
            }

            byte[] opened = vault.Keys.OpenManifest(content.Content, content.SealedDraft.Span);
            if (PartDraft.IsOne(opened))
            {
                var part = PartDraft.Decode(opened);
                return IsWhole(content, part.Manifest)
                    ? Found.OfPart(content, vault, part)
                    : Found.Refused(content, name, "some of its stripes are not there");
            }

            var draft = CommitDraft.Decode(opened);
            return IsWhole(content, draft.Manifest)
                ? new Found(content, vault, draft, Found.Describe(content, name, draft))
                : Found.Refused(content, name, "some of its stripes are not there");
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.Corrupt)
        {
            return Found.Refused(content, name, "what its records say of it does not open");
        }
    }

    private static bool IsWhole(FoundContent content, Manifest draft) => draft.Contents is [{ } only]
        && only.Id == content.Content
        && only.StripeCount == content.Stripes.Length;

    // Decides under which key it is entered, by the version that has its key now; and enters it.
    private async Task<FoundVersion> EnterAsync(
        Found found, bool isNewest, Tick wentBack, bool isAdoption, CancellationToken cancel)
    {
        VaultId vault = found.Vault!.Info.Id;
        string key = found.Draft!.Key;
        for (int tries = 1; ; tries++)
        {
            VersionRow? head = (await catalog.HeadAsync(vault, [key], cancel))[0];
            bool hasKey = isNewest && (head is null || PutAt(head, wentBack) <= found.Content.Written);
            string enteredAs = hasKey ? key : Beside(key, found.Draft.Manifest.Version);
            FoundVersion told = found.Version with { EnteredAs = enteredAs };
            if (!isAdoption)
            {
                return told;
            }

            ZeroStorException? lost = null;
            if (hasKey && head is not null && found.Vault!.Info.Versioning != Versioning.On)
            {
                // Where versions are kept it stays behind the found one.
                lost = await CommitAsync(Renamed(vault, head, Beside(key, head.Version)), cancel);
            }

            lost ??= await CommitAsync(OrderOf(found, enteredAs, hasKey ? head : null), cancel);
            if (lost is null || lost.Kind != ErrorKind.PreconditionFailed || tries == MaxTries)
            {
                return lost is null ? told : told with { Refusal = lost.Message };
            }
        }
    }

    private async Task<ZeroStorException?> CommitAsync(CommitOrder order, CancellationToken cancel)
    {
        try
        {
            CommitAnswer answer = await catalog.CommitAsync(order, cancel);
            return answer.Kind == ErrorKind.None ? null : new ZeroStorException(answer.Kind, answer.Detail);
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.InvalidArgument)
        {
            // A key that became too long by its new ending.
            return e;
        }
    }

    private CommitOrder OrderOf(Found found, string key, VersionRow? head)
    {
        (ContentRef content, ImmutableArray<(int Page, byte[] Bytes)> pages) =
            found.Complete(Geometry.MaxInlineStripes);
        Manifest draft = found.Draft!.Manifest;
        Manifest manifest = draft with
        {
            Contents = [content],
            Headers = draft.Headers.SetItem(FoundHeader, found.Content.Written.ToString()),
        };
        return new CommitOrder
        {
            Kind = CommitKind.Put,
            Vault = found.Vault!.Info.Id,
            Key = key,
            Content = content.Id,
            If = head is null ? new Precondition { IfNoneMatch = "*" } : new Precondition { IfMatch = head.ETag },
            Now = map.Tick,
            Modified = found.Draft.Modified,
            Manifest = manifest.Encode(),
            Pages = pages,
            IsFound = true,
        };
    }

    private CommitOrder Renamed(VaultId vault, VersionRow row, string key) => new()
    {
        Kind = CommitKind.Put,
        Vault = vault,
        Key = key,
        Content = ContentId.New(map.Tick, entropy),
        Now = map.Tick,
        Modified = time.GetUtcNow(),
        Manifest = (Manifest.Decode(row.Manifest) with { Version = VersionId.New(entropy) }).Encode(),
        ETag = row.ETag == row.Version.ToString() ? null : row.ETag,
    };

    // What was committed before the catalog went back is older than all that was lost; what came after it is
    // newer, unless it was found itself.
    private static Tick PutAt(VersionRow row, Tick wentBack)
    {
        if (row.Committed <= wentBack)
        {
            return default;
        }

        return Manifest.Decode(row.Manifest).Headers.TryGetValue(FoundHeader, out string? tick)
            && uint.TryParse(tick, CultureInfo.InvariantCulture, out uint put)
            ? new Tick(put)
            : row.Committed;
    }

    private static string Beside(string key, VersionId version) => $"{key}.found-{version.ToString()[..8]}";

    private static MapChange SkipDisks(FabricMap from)
    {
        uint last = from.Disks.IsEmpty ? 0 : from.Disks.Max(d => d.Id.Value);
        return new MapChange
        {
            FromVersion = from.Version,
            Disks =
            [
                new DiskEntry
                {
                    Id = new DiskId(last + DisksPerLostTime),
                    Silo = "",
                    Labels = Labels.None,
                    Path = "",
                    State = DiskState.Removed,
                    Claim = 0,
                    IsManaged = false,
                },
            ],
        };
    }

    /// <summary>A content that was found, with its draft where that opens.</summary>
    private sealed record Found(FoundContent Content, OpenVault? Vault, CommitDraft? Draft, FoundVersion Version)
    {
        public static Found Refused(FoundContent content, string vault, string why) =>
            new(content, null, null, Describe(content, vault, null) with { Refusal = why });

        /// <summary>What it is as a part of an upload; null: it is no part.</summary>
        public PartDraft? Part { get; private init; }

        public static Found OfPart(FoundContent content, OpenVault vault, PartDraft part) => new(
            content,
            vault,
            null,
            Describe(content, vault.Info.Name, null) with { Key = part.Key, Modified = part.Modified })
        {
            Part = part,
        };

        public static FoundVersion Describe(FoundContent content, string vault, CommitDraft? draft) => new()
        {
            Vault = vault,
            Key = draft?.Key ?? "",
            Size = draft?.Manifest.Size ?? content.Stripes.Sum(s => (long)s.ContentBytes),
            Modified = draft?.Modified ?? DateTimeOffset.UnixEpoch,
            Put = content.Written,
            EnteredAs = draft?.Key ?? "",
        };

        /// <summary>The content with its stripes, inline or in pages.</summary>
        public (ContentRef Content, ImmutableArray<(int Page, byte[] Bytes)> Pages) Complete(int maxInline)
        {
            ContentRef draft = (Draft?.Manifest ?? Part!.Manifest).Contents[0];
            return draft.StripeCount > maxInline
                ? (draft,
                [
                    .. Content.Stripes.Chunk(Geometry.StripesPerPage)
                        .Select((page, i) => (i, Manifest.EncodePage(Content.Code, page))),
                ])
                : (draft with { Stripes = Content.Stripes }, []);
        }
    }
}
