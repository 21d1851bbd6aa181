using System.Collections.Immutable;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Grains;

/// <summary>Tells where the shards of an object's stripes lie, home by home.</summary>
internal sealed class ShardLocator(ICatalog catalog, IShardHome homes, IFabricMap map)
{
    private static readonly TimeSpan HomePatience = TimeSpan.FromSeconds(2);

    public async Task<ImmutableArray<ShardPlace>> RunAsync(
        Manifest manifest, int firstStripe, int maxStripes, CancellationToken cancel)
    {
        var places = ImmutableArray.CreateBuilder<ShardPlace>();
        int ordinal = 0;
        foreach (ContentRef content in manifest.Contents)
        {
            int count = content.StripeCount;
            for (int i = Math.Max(0, firstStripe - ordinal); i < count && ordinal + i < firstStripe + maxStripes; i++)
            {
                StripeRef stripe = await StripeAsync(content, i, cancel);
                places.AddRange(await LocateAsync(stripe, ordinal + i, cancel));
            }

            ordinal += count;
        }

        return places.ToImmutable();
    }

    private async Task<StripeRef> StripeAsync(ContentRef content, int index, CancellationToken cancel)
    {
        if (!content.IsPaged)
        {
            return content.Stripes[index];
        }

        byte[] page = await catalog.ReadPageAsync(content.Id, index / Geometry.StripesPerPage, cancel)
            ?? throw ZeroStorException.NotFound("the version was deleted while it was looked at");
        return Manifest.DecodePage(content.Code, page)[index % Geometry.StripesPerPage];
    }

    private async Task<ShardPlace[]> LocateAsync(StripeRef stripe, int ordinal, CancellationToken cancel)
    {
        PlacementGroup group = map.Current.Group(stripe.Group)
            ?? (await map.RefreshAsync(map.Current.Version + 1, cancel)).Group(stripe.Group)
            ?? throw ZeroStorException.Corrupt($"the map lacks group {stripe.Group} of stripe {stripe.Id}");
        return await Task.WhenAll(group.Places.Select((place, index) =>
            LocateAsync(stripe, ordinal, index, place, cancel)));
    }

    private async Task<ShardPlace> LocateAsync(
        StripeRef stripe, int ordinal, int index, Place place, CancellationToken cancel)
    {
        string state = "missing";
        foreach (DiskId disk in place.FormerHomes.Prepend(place.Home))
        {
            if (map.Current.Disk(disk) is not { } entry)
            {
                continue;
            }

            var shard = new ShardPlace
            {
                Stripe = ordinal,
                StripeId = stripe.Id,
                Index = index,
                Disk = disk,
                Silo = entry.Silo,
                State = "present",
            };
            try
            {
                ShardLocation? found = await homes
                    .LocateAsync(new DiskAddress(disk, entry.Claim), stripe.Id, (byte)index, cancel)
                    .AsTask().WaitAsync(HomePatience, cancel);
                if (found is { } at)
                {
                    return shard with
                    {
                        File = Path.Combine(entry.Path, at.File), Offset = at.Offset, Length = at.Length,
                    };
                }
            }
            catch (Exception e) when (e is ZeroStorException or TimeoutException)
            {
                state = "offline";
            }
        }

        return new ShardPlace
        {
            Stripe = ordinal,
            StripeId = stripe.Id,
            Index = index,
            Disk = place.Home,
            Silo = map.Current.Disk(place.Home)?.Silo ?? "",
            State = state,
        };
    }
}
