-- Ours, on top of Orleans' 002: its index is not unique and its table has no primary key. Two first writes of one
-- grain that run at once both find no row, both insert one and both are told version 1; every read after that fails.
-- NULL differs from NULL in a unique index, hence the expression.
CREATE UNIQUE INDEX ux_orleansstorage ON orleansstorage
(
    grainidhash, graintypehash, grainidn0, grainidn1, graintypestring,
    COALESCE(grainidextensionstring, ''), serviceid
);

-- Who comes second must be told so as Orleans understands it: a version that did not change, of which it makes an
-- InconsistentStateException. The index alone would tell it a unique violation, which Orleans takes for a database
-- that failed. So the function of 002 is as it was, but that an insert which finds the row made leaves it alone.
CREATE OR REPLACE FUNCTION writetostorage(
    _grainidhash integer,
    _grainidn0 bigint,
    _grainidn1 bigint,
    _graintypehash integer,
    _graintypestring character varying,
    _grainidextensionstring character varying,
    _serviceid character varying,
    _grainstateversion integer,
    _payloadbinary bytea)
    RETURNS TABLE(newgrainstateversion integer)
    LANGUAGE 'plpgsql'
AS $function$
    DECLARE
     _newGrainStateVersion integer := _GrainStateVersion;
     RowCountVar integer := 0;

    BEGIN

    IF _GrainStateVersion IS NOT NULL
    THEN
        UPDATE OrleansStorage
        SET
            PayloadBinary = _PayloadBinary,
            ModifiedOn = (now() at time zone 'utc'),
            Version = Version + 1

        WHERE
            GrainIdHash = _GrainIdHash
            AND GrainTypeHash = _GrainTypeHash
            AND GrainIdN0 = _GrainIdN0
            AND GrainIdN1 = _GrainIdN1
            AND GrainTypeString = _GrainTypeString
            AND COALESCE(GrainIdExtensionString, '') = COALESCE(_GrainIdExtensionString, '')
            AND ServiceId = _ServiceId
            AND Version = _GrainStateVersion;

        GET DIAGNOSTICS RowCountVar = ROW_COUNT;
        IF RowCountVar > 0
        THEN
            _newGrainStateVersion := _GrainStateVersion + 1;
        END IF;
    END IF;

    IF _GrainStateVersion IS NULL
    THEN
        INSERT INTO OrleansStorage
        (
            GrainIdHash,
            GrainIdN0,
            GrainIdN1,
            GrainTypeHash,
            GrainTypeString,
            GrainIdExtensionString,
            ServiceId,
            PayloadBinary,
            ModifiedOn,
            Version
        )
        VALUES
        (
            _GrainIdHash,
            _GrainIdN0,
            _GrainIdN1,
            _GrainTypeHash,
            _GrainTypeString,
            _GrainIdExtensionString,
            _ServiceId,
            _PayloadBinary,
            (now() at time zone 'utc'),
            1
        )
        ON CONFLICT DO NOTHING;

        GET DIAGNOSTICS RowCountVar = ROW_COUNT;
        IF RowCountVar > 0
        THEN
            _newGrainStateVersion := 1;
        END IF;
    END IF;

    RETURN QUERY SELECT _newGrainStateVersion AS NewGrainStateVersion;
END

$function$;
