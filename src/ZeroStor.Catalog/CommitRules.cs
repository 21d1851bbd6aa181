namespace ZeroStor.Catalog;

/// <summary>Decides one order on what the batch read, and enters what follows from it. No database here: the
/// rules are the same on each. An order that is refused changes nothing but the row of its own content, which
/// then says why.</summary>
internal static class CommitRules
{
    /// <exception cref="ZeroStorException">Nothing was entered: what the catalog holds of this key, or of an
    /// earlier such order, cannot be read.</exception>
    public static CommitAnswer Decide(CheckedOrder order, CommitState state)
    {
        CommitOrder asked = order.Order;
        Tick now = asked.Now > state.Tick ? asked.Now : state.Tick;
        ContentRow? own = state.Contents.GetValueOrDefault(asked.Content);
        CommitAnswer? earlier = order.Completes is { } completion
            ? Earlier(own, completion, state)
            : Earlier(own, asked.Content, asked.Vault, now, asked.IsFound);
        if (earlier is not null)
        {
            return earlier;
        }

        KeyState key = state.Keys[order.Key];
        CommitAnswer? refusal = Refuse(order, state, key);
        if (refusal is not null)
        {
            // An upload that could not be completed goes on.
            if (order.Completes is null)
            {
                state.Put(Marker(asked, now, refusal));
            }

            return refusal;
        }

        if (key.Unreadable is not null)
        {
            throw key.Unreadable;
        }

        return asked.Kind == CommitKind.Put ? Put(order, state, key, now) : Delete(asked, state, key, now);
    }

    /// <summary>What an order of this content was answered before, or why none can be let in any
    /// more.</summary>
    public static CommitAnswer? Earlier(
        ContentRow? own, ContentId content, VaultId vault, Tick now, bool isFound = false)
    {
        if (own is null)
        {
            return !isFound && ContentTable.IsForgotten(content, now)
                ? new CommitAnswer(
                    ErrorKind.InvalidArgument,
                    $"Content {content} began {now.Since(content.Begun)} ticks ago, and the "
                    + $"catalog remembers {ContentTable.RememberedTicks}: put again.")
                : null;
        }

        if (own.Result is not null)
        {
            return CommitResult.Decode(own.Result);
        }

        if (own.State != ContentState.Open)
        {
            return new CommitAnswer(
                ErrorKind.PreconditionFailed, $"Content {content} was condemned: put again.");
        }

        return own.Vault == vault
            ? null
            : new CommitAnswer(
                ErrorKind.InvalidArgument,
                $"Content {content} was opened in vault {own.Vault}, not in {vault}: put again.");
    }

    /// <summary>As above, for an upload: what its completion was answered, or why it cannot be completed
    /// so.</summary>
    private static CommitAnswer? Earlier(ContentRow? own, Completion completion, CommitState state)
    {
        if (own?.Result is not null)
        {
            CommitAnswer first = CommitResult.Decode(own.Result);
            return first.Version == completion.Version && own.Vault == completion.Upload.Vault
                ? first
                : PartTable.NoUpload(completion.Upload);
        }

        UploadRow? upload = own is null ? null : state.Uploads.GetValueOrDefault(own.Id);
        if (upload?.Name != completion.Upload)
        {
            return PartTable.NoUpload(completion.Upload);
        }

        return upload.Revision == completion.Revision
            ? null
            : new CommitAnswer(
                ErrorKind.Busy,
                $"Parts of upload {completion.Upload.Upload} of '{completion.Upload.Key}' came while it was being "
                + "completed: say it again.");
    }

    private static CommitAnswer? Refuse(CheckedOrder order, CommitState state, KeyState key)
    {
        CommitOrder asked = order.Order;
        if (!state.Vaults.ContainsKey(asked.Vault))
        {
            return new CommitAnswer(ErrorKind.NotFound, $"Vault {asked.Vault} is no more.");
        }

        if (FailedCondition(asked, key.Target) is string failed)
        {
            return new CommitAnswer(ErrorKind.PreconditionFailed, failed);
        }

        if (asked.Kind == CommitKind.Delete)
        {
            string which = asked.Version is { } version ? $"no version {version}" : "no version";
            return key.Target is null && !key.Succession.IsMarked
                ? new CommitAnswer(ErrorKind.NotFound, $"Key '{asked.Key}' has {which}: nothing to delete.")
                : null;
        }

        foreach (ContentId named in order.Completes is null ? order.Named : [])
        {
            if (named != asked.Content
                && state.Contents.GetValueOrDefault(named)?.MayBeNamedIn(asked.Vault) is not true)
            {
                return new CommitAnswer(
                    ErrorKind.NotFound,
                    $"Content {named}, which '{asked.Key}' was to name, does not live in vault "
                    + $"{asked.Vault}.");
            }
        }

        return null;
    }

    private static string? FailedCondition(CommitOrder asked, VersionRow? head)
    {
        string standing = head is null ? "has no version" : $"has ETag {head.ETag}";
        if (asked.If.IfMatch is string match && (head is null || (match != "*" && match != head.ETag)))
        {
            return $"Key '{asked.Key}' {standing}, which does not match {match}.";
        }

        return asked.If.IfNoneMatch is string none && head is not null && (none == "*" || none == head.ETag)
            ? $"Key '{asked.Key}' {standing}, which matches {none}."
            : null;
    }

    private static CommitAnswer Put(CheckedOrder order, CommitState state, KeyState key, Tick now)
    {
        CommitOrder asked = order.Order;
        long seq = key.NextSeq(now);
        VersionId version = order.Manifest!.Version;
        CommitAnswer answer = CommitResult.Applied(version, seq, asked.ETag ?? version.ToString()) with
        {
            Size = order.Completes is null ? 0 : order.Manifest.Size,
        };

        // The new names count before the old ones go: a copy of a key onto itself must not pass through
        // death.
        state.Put(order.Named.Contains(asked.Content)
            ? new ContentRow(
                asked.Content,
                asked.Vault,
                ContentState.Live,
                Names: 1,
                now,
                Lived: true,
                CommitResult.Encode(answer))
            : Marker(asked, now, answer));
        Name(order, state, now);
        Succeed(asked, state, key, now);
        state.AddedVersions.Add((order, seq, now, key.Succession.IsKept));
        return answer;
    }

    private static void Name(CheckedOrder order, CommitState state, Tick now)
    {
        if (order.Completes is not { } completion)
        {
            foreach (ContentId named in order.Named.Where(id => id != order.Order.Content))
            {
                state.Put(state.Contents[named].Renamed(+1, now));
            }

            return;
        }

        state.EndedUploads.Add(order.Order.Content);
        foreach ((ContentId named, int change) in completion.Changes)
        {
            // A named content lives; were its row lost, there would be nothing to count.
            if (state.Contents.GetValueOrDefault(named) is { State: ContentState.Live } row)
            {
                state.Put(row.Renamed(change, now));
            }
        }
    }

    private static CommitAnswer Delete(CommitOrder asked, CommitState state, KeyState key, Tick now)
    {
        long seq = key.NextSeq(now);
        CommitAnswer answer;
        if (key.Succession.IsMarked)
        {
            // As rare as the id of the order.
            var mark = new VersionId(asked.Content.Value);
            answer = CommitResult.Applied(mark, seq, mark.ToString()) with { IsMark = true };
            state.AddedMarks.Add((asked, mark, seq, now, key.Succession.IsKept));
        }
        else
        {
            VersionRow gone = key.Target!;
            answer = CommitResult.Applied(gone.Version, seq, gone.ETag) with { IsMark = gone.IsMark };
            state.Counters.Add((asked.Vault, asked.Key, seq));
        }

        state.Put(Marker(asked, now, answer));
        Succeed(asked, state, key, now);
        return answer;
    }

    /// <summary>The row of a content that no version names: it only keeps the answer.</summary>
    private static ContentRow Marker(CommitOrder asked, Tick now, CommitAnswer answer) => new(
        asked.Content, asked.Vault, ContentState.Dead, 0, now, Lived: false, CommitResult.Encode(answer));

    private static void Succeed(CommitOrder asked, CommitState state, KeyState key, Tick now)
    {
        Succession succession = key.Succession;
        if (succession.Gone is { } gone)
        {
            (succession.IsGoneCurrent ? state.RemovedVersions : state.RemovedFormer)
                .Add((asked.Vault, asked.Key, gone.Seq));
        }

        if (succession.Retired is { } retired)
        {
            state.RetiredVersions.Add((asked.Vault, asked.Key, retired.Seq));
        }

        if (succession.Restored is { } restored)
        {
            state.RestoredVersions.Add((asked.Vault, asked.Key, restored.Seq));
        }

        foreach (ContentId named in key.GoneNames)
        {
            // A named content lives; were its row lost, there would be nothing to count down.
            if (state.Contents.GetValueOrDefault(named) is { State: ContentState.Live } row)
            {
                state.Put(row.Renamed(-1, now));
            }
        }
    }
}
