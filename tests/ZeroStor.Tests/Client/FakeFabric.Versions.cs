using System.Collections.Immutable;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client;

internal sealed partial class FakeFabric
{
    private readonly Dictionary<string, VaultSettings> _settings = [];
    private readonly HashSet<ContentId> _deletes = [];

    /// <summary>What a listing of versions shows, and a version is found among.</summary>
    public List<ObjectInfo> History { get; } = [];

    /// <summary>The marks and versions behind each other, as the vault that keeps versions has
    /// them.</summary>
    private sealed class Versions(FakeFabric fabric) : IVersionDoor
    {
        public Task<ObjectInfo?> FindVersionAsync(string key, VersionId version, CancellationToken cancel) =>
            fabric.DoAsync("versions", "find-version", cancel, () =>
                fabric.History.Concat(fabric._objects.Values)
                    .FirstOrDefault(o => o.Key == key && o.Version == version));

        public Task<VersionsListed> ListVersionsAsync(ListVersions list, CancellationToken cancel) =>
            fabric.DoAsync("versions", "list-versions", cancel, () =>
            {
                ObjectInfo[] found =
                [
                    .. fabric.History
                        .Where(o => string.CompareOrdinal(o.Key, list.StartAfter) > 0
                            || (o.Key == list.StartAfter && o.Seq < list.BeforeSeq))
                        .OrderBy(o => o.Key, StringComparer.Ordinal).ThenByDescending(o => o.Seq),
                ];
                bool hasMore = found.Length > list.Max;
                return new VersionsListed
                {
                    Versions = [.. found.Take(list.Max)],
                    CommonPrefixes = [],
                    Next = hasMore ? found[list.Max - 1].Key : null,
                    NextSeq = hasMore ? found[list.Max - 1].Seq : null,
                };
            });

        public Task<ImmutableArray<DeleteOutcome>> DeleteManyAsync(
            ImmutableArray<DeleteObject> deletes, CancellationToken cancel) =>
            fabric.DoAsync<ImmutableArray<DeleteOutcome>>("versions", "delete-many", cancel, () =>
                [.. deletes.Select(Delete)]);

        public Task SetTagsAsync(SetTags order, CancellationToken cancel) =>
            fabric.DoAsync("versions", "set-tags", cancel, () =>
            {
                fabric._objects[order.Key] = fabric._objects[order.Key] with { Tags = order.Tags };
            });

        private DeleteOutcome Delete(DeleteObject delete)
        {
            var outcome = new DeleteOutcome { Key = delete.Key, Kind = ErrorKind.None };
            if (fabric._deletes.Contains(delete.Commit))
            {
                return outcome;
            }

            if (delete.If.IfMatch is { } etag && fabric._objects.GetValueOrDefault(delete.Key)?.ETag != etag)
            {
                return outcome with { Kind = ErrorKind.PreconditionFailed, Detail = "The ETag is another." };
            }

            return fabric._objects.Remove(delete.Key) && fabric._deletes.Add(delete.Commit)
                ? outcome
                : outcome with { Kind = ErrorKind.NotFound, Detail = "There is nothing to delete." };
        }
    }
}
